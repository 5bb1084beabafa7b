//! Every kind of maths problem against sympy, which works the answers out from the statements
//! (`scripts/oracles/maths.py`), where there is a Python that has it (`SN1_SYMPY_PYTHON`;
//! `scripts/test.sh` makes one).

use std::path::Path;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use sn1::tools::Maths;

use crate::harness::Place;

const SAMPLES: u64 = 300;

/// Samples of all kinds: the bodies of their contexts, in which the kind's name is the `kind`.
fn problems() -> String {
    let mut lines = String::new();
    for kind in Maths::kinds() {
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
    place.write("problems.jsonl", &problems());
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/oracles/maths.py");
    let ended = place.run_other_fed(Path::new(&python), &[oracle], "problems.jsonl").expect(0);
    let count = Maths::kinds().count();
    let all = format!("{count} kinds, {} samples, 0 wrong", count as u64 * SAMPLES);
    assert!(ended.out.contains(&all), "{}", ended.out);
}
