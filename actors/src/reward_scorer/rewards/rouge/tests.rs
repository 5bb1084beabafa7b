use proptest::prelude::*;

use super::super::oracle::cases;
use super::*;

#[test]
fn equals_the_python_package_on_every_pair_of_the_oracle() {
    let cases = cases();
    assert!(cases.iter().filter(|case| case.rouge.is_some()).count() >= 60);
    assert!(cases.iter().any(|case| case.rouge.is_none()));
    for case in &cases {
        let ours = scores(&case.reference, &case.completion, &Effort::default());
        let ours = [ours.rouge_1, ours.rouge_2, ours.rouge_l].map(|prf| [prf.p, prf.r, prf.f]);
        let theirs = case.rouge.unwrap_or_default();
        for (ours, theirs) in ours.as_flattened().iter().zip(theirs.as_flattened()) {
            case.assert_same(*ours, *theirs);
        }
    }
}

#[test]
fn the_measures_are_the_f_of_the_scores() {
    for case in cases() {
        let (reference, completion, effort) =
            (&*case.reference, &*case.completion, Effort::default());
        let all = scores(reference, completion, &effort);
        for (kind, prf) in [(ROUGE_1, all.rouge_1), (ROUGE_2, all.rouge_2), (ROUGE_L, all.rouge_l)]
        {
            let measured = kind.without_model(reference, "", completion, &effort);
            assert_eq!(measured, Some(Score::new(prf.f)), "{kind:?}");
        }
    }
}

#[test]
fn a_text_without_a_word_earns_nothing_where_the_package_raises_or_finds_the_empty_word() {
    let nothing = |reference, completion| {
        assert_eq!(scores(reference, completion, &Effort::default()), Rouge::default());
    };
    for text in ["", ".", "...", " ", " . . ", "\n.\t"] {
        nothing("one. two. ", text);
        nothing(text, "one. two. ");
        nothing(text, text);
    }
}

#[test]
fn words_past_the_cap_do_not_count() {
    let of = |completion: &str| scores("needle", completion, &Effort::default());
    let filler = "x ".repeat(MAX_WORDS);
    assert_eq!(of(&format!("{filler}needle")).rouge_1.f, 0.0);
    assert!(of(&format!("{}needle", "x ".repeat(MAX_WORDS - 1))).rouge_1.f > 0.6);
    assert_eq!(of(&format!("{}needle", "x. ".repeat(MAX_WORDS))).rouge_l.f, 0.0);
}

/// The definition by its plain table and walk, as the package computes it.
fn plain_union(pair: &Pair) -> usize {
    let mut found = HashSet::new();
    for x in &pair.completion {
        for y in &pair.reference {
            let mut table = vec![vec![0_u32; y.len() + 1]; x.len() + 1];
            for i in 1..=x.len() {
                for j in 1..=y.len() {
                    table[i][j] = if x[i - 1] == y[j - 1] {
                        table[i - 1][j - 1] + 1
                    } else {
                        table[i - 1][j].max(table[i][j - 1])
                    };
                }
            }
            let (mut i, mut j) = (x.len(), y.len());
            while i > 0 && j > 0 {
                if x[i - 1] == y[j - 1] {
                    found.insert(x[i - 1]);
                    (i, j) = (i - 1, j - 1);
                } else if table[i - 1][j] > table[i][j - 1] {
                    i -= 1;
                } else {
                    j -= 1;
                }
            }
        }
    }
    found.len()
}

fn assert_walks_back_as_the_plain_table(reference: &str, completion: &str) {
    let effort = Effort::default();
    let pair = Pair::read(reference, completion, &effort).unwrap();
    let plain = plain_union(&pair);
    assert_eq!(pair.union_of_subsequences(usize::MAX, &effort), plain);
    let (common, _) = pair.words_of_completion(&effort);
    assert_eq!(pair.union_of_subsequences(common, &effort), plain);
}

proptest! {
    #[test]
    fn the_bit_rows_walk_back_as_the_plain_table_does(
        reference in "[a-h]( [a-h]|\\. [a-h]){0,120}",
        completion in "[a-j]( [a-j]|\\. [a-j]){0,120}",
    ) {
        assert_walks_back_as_the_plain_table(&reference, &completion);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn rows_made_again_from_those_that_were_kept_are_the_same(
        reference in prop::collection::vec(0_u32..150, 100..300),
        completion in prop::collection::vec(0_u32..150, 100..300),
    ) {
        // Sentences of several blocks of rows, a few short ones among them.
        let text = |words: &[u32]| -> String {
            words.iter().map(|n| if *n == 7 { ".".into() } else { format!("{n} ") }).collect()
        };
        assert_walks_back_as_the_plain_table(&text(&reference), &text(&completion));
    }
}
