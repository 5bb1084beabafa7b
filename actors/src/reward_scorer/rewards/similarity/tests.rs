use proptest::prelude::*;

use super::super::oracle::cases;
use super::*;

#[test]
fn equals_the_python_package_on_every_pair_of_the_oracle() {
    let cases = cases();
    assert!(cases.len() >= 60);
    for case in &cases {
        for (measure, theirs) in [
            (RATIO, case.ratio),
            (PARTIAL_RATIO, case.partial_ratio),
            (TOKEN_SORT_RATIO, case.token_sort_ratio),
        ] {
            let effort = Effort::default();
            let ours = measure.without_model(&case.reference, "", &case.completion, &effort);
            let ours = ours.unwrap().get();
            case.assert_same(ours, theirs);
        }
    }
}

#[test]
fn characters_past_the_cap_do_not_count() {
    let effort = Effort::default();
    let to_the_cap = |cap: usize, tail: &str| format!("{}{tail}", "a".repeat(cap));
    for (measure, cap) in
        [(RATIO, MAX_CHARS), (TOKEN_SORT_RATIO, MAX_CHARS), (PARTIAL_RATIO, MAX_WINDOWED)]
    {
        let score = |one: &str, other: &str| measure.without_model(one, "", other, &effort);
        let cut = score(&to_the_cap(cap, "b"), &to_the_cap(cap, "ccc"));
        assert_eq!(cut, Some(Score::ONE), "{measure:?}");
        let whole = score(&to_the_cap(cap - 1, "b"), &to_the_cap(cap - 1, "c"));
        assert!(whole < Some(Score::ONE), "{measure:?}");
    }
}

#[test]
fn the_work_grows_with_both_texts_and_has_an_end() {
    let work = |measure: RewardKind, one: usize, other: usize| {
        let effort = Effort::default();
        let _ = measure.without_model(&"ab ".repeat(one), "", &"ba ".repeat(other), &effort);
        effort.spent()
    };
    for measure in [RATIO, PARTIAL_RATIO, TOKEN_SORT_RATIO] {
        assert!(work(measure, 100, 300) > work(measure, 100, 100), "{measure:?}");
        assert!(work(measure, 300, 100) > work(measure, 100, 100), "{measure:?}");
        assert_eq!(work(measure, 10, 6_000), work(measure, 10, 7_000), "{measure:?}");
    }
}

/// The definition, window by window.
fn plain_partial_ratio(one: &[char], other: &[char]) -> f64 {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if short.is_empty() {
        return if long.is_empty() { 1.0 } else { 0.0 };
    }
    let in_windows = |short: &[char], long: &[char]| {
        let whole = long.windows(short.len());
        let (starts, ends) = ((1..short.len()).map(|n| &long[..n]), 1..short.len());
        let ends = ends.map(|n| &long[long.len() - n..]);
        let ratio = |window: &[char]| fuzz::ratio(short.iter().copied(), window.iter().copied());
        whole.chain(starts).chain(ends).map(ratio).fold(0.0, f64::max)
    };
    let best = in_windows(short, long);
    if short.len() == long.len() { best.max(in_windows(long, short)) } else { best }
}

proptest! {
    #[test]
    fn one_pass_finds_the_best_of_all_windows(one in "[a-d]{0,40}", other in "[a-d]{0,90}") {
        let best = partial_ratio(&one, &other, &Effort::default()).get();
        let letters = [one, other].map(|text| text.chars().collect::<Vec<_>>());
        prop_assert!((best - plain_partial_ratio(&letters[0], &letters[1])).abs() < 1e-12);
    }

    #[test]
    fn of_equally_long_texts_either_may_be_the_part(
        texts in prop::collection::vec(("[a-e]", "[a-e]"), 1..40),
    ) {
        let (one, other): (String, String) = texts.into_iter().unzip();
        let best = partial_ratio(&one, &other, &Effort::default()).get();
        let letters = [one, other].map(|text| text.chars().collect::<Vec<_>>());
        prop_assert!((best - plain_partial_ratio(&letters[0], &letters[1])).abs() < 1e-12);
    }
}
