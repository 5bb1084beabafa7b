//! Every kind of maths problem against sympy, which works the answers out from the statements
//! (`scripts/oracles/maths.py`), where there is a Python that has it (`SN1_SYMPY_PYTHON`;
//! `scripts/test.sh` makes one).

use std::collections::BTreeSet;
use std::path::Path;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use sn1::tools::Maths;

use crate::harness::Place;

const SAMPLES: u64 = 300;

/// Samples of all kinds of a topic: the bodies of their contexts, in which the kind's name is the
/// `kind`.
fn problems(topic: &str) -> String {
    let mut lines = String::new();
    for kind in Maths::kinds().filter(|kind| kind.topic == topic) {
        for seed in 0..SAMPLES {
            let context = Maths::of_kind(kind.name, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            let mut line = json!(context.body);
            line["kind"] = kind.name.into();
            lines += &format!("{line}\n");
        }
    }
    lines
}

#[test]
fn sympy_agrees_with_every_solution() {
    let variable = "SN1_SYMPY_PYTHON";
    let Some(python) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        println!("skipped: {variable} names no Python that has sympy");
        return;
    };
    let place = Place::new().with("PYTHONDONTWRITEBYTECODE", "1");
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/oracles/maths.py");
    // Topic by topic, since each run has its own time.
    let topics: BTreeSet<&str> = Maths::kinds().map(|kind| kind.topic).collect();
    assert_eq!(topics.len(), 7);
    for topic in topics {
        let samples = problems(topic);
        place.write(topic, &samples);
        let ended = place.run_other_fed(Path::new(&python), &[&oracle], topic).expect(0);
        let count = samples.lines().count();
        let all = format!("{} kinds, {count} samples, 0 wrong", count as u64 / SAMPLES);
        assert!(ended.out.contains(&all), "{topic}: {}", ended.out);
    }
}
