//! The measures of texts against the Python packages that the original measured by, on pairs that
//! `scripts/oracles/rewards.py` draws, where there is a Python that has the packages
//! (`SN1_REWARDS_PYTHON`; `scripts/test.sh` makes one).

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use sn1_actors::reward_scorer::effort::Effort;
use sn1_actors::reward_scorer::rewards::{rouge, similarity};

use crate::harness::Place;

const PAIRS: usize = 5_000;
const TOLERANCE: f64 = 1e-6;

/// What the packages say of a pair.
#[derive(Debug, Deserialize)]
struct Drawn {
    kind: String,
    reference: String,
    completion: String,
    /// Precision, recall and F of ROUGE-1, of ROUGE-2 and of ROUGE-L; none where the package raises
    /// or sees no word.
    rouge: Option<[[f64; 3]; 3]>,
    ratio: f64,
    partial_ratio: f64,
    token_sort_ratio: f64,
}

impl Drawn {
    /// Every figure, theirs first.
    fn figures(&self) -> Vec<(f64, f64)> {
        let (reference, completion, effort) =
            (&*self.reference, &*self.completion, Effort::default());
        let rouge = rouge::scores(reference, completion, &effort);
        let ours = [rouge.rouge_1, rouge.rouge_2, rouge.rouge_l].map(|prf| [prf.p, prf.r, prf.f]);
        let theirs = self.rouge.unwrap_or_default();
        let mut figures: Vec<(f64, f64)> =
            theirs.into_iter().flatten().zip(ours.into_iter().flatten()).collect();
        for (theirs, ours) in [
            (self.ratio, similarity::ratio(reference, completion, &effort)),
            (self.partial_ratio, similarity::partial_ratio(reference, completion, &effort)),
            (self.token_sort_ratio, similarity::token_sort_ratio(reference, completion, &effort)),
        ] {
            figures.push((theirs, ours.get()));
        }
        figures
    }
}

#[test]
fn rouge_and_the_ratios_are_those_of_the_python_packages() {
    let variable = "SN1_REWARDS_PYTHON";
    let Some(python) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        println!("skipped: {variable} names no Python that has rouge and rapidfuzz");
        return;
    };
    let place = Place::new().with("PYTHONDONTWRITEBYTECODE", "1");
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/oracles/rewards.py");
    let count = PAIRS.to_string();
    let arguments = [oracle.as_os_str(), "drawn".as_ref(), "7".as_ref(), count.as_ref()];
    let ended = place.start_other(Path::new(&python), &arguments).wait().expect(0);
    let pairs: Vec<Drawn> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(pairs.len(), PAIRS);
    assert_eq!(pairs.iter().map(|pair| &pair.kind).collect::<BTreeSet<_>>().len(), 11);
    let differ = |pair: &&Drawn| {
        pair.figures().iter().any(|(theirs, ours)| (theirs - ours).abs() > TOLERANCE)
    };
    let wrong: Vec<&Drawn> = pairs.iter().filter(differ).collect();
    let first = wrong.first().map(|pair| (pair, pair.figures()));
    assert_eq!(wrong.len(), 0, "theirs and ours of one of them: {first:?}");
}
