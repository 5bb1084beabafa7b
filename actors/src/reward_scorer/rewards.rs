//! The measures of an answer, one file each.
//!
//! Every measure is pure, bounded in time and memory, and total: an answer that cannot be
//! measured earns [`Score::ZERO`]. Weights and totals are [`super::combine`]'s; embedding the
//! texts is the caller's.

mod announcement;
pub mod exact_form;
pub mod maths_answer;
pub mod numeric;
pub mod relevance;
pub mod rouge;

use crate::domain::{RewardKind, Score};

/// What a kind of reward looks at, so that no caller forgets that some need a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The two texts and nothing else.
    Text(TextMeasure),
    /// The embeddings of reference, completion and the empty text: [`relevance::relevance`].
    Embedding,
}

impl Measure {
    /// What this kind of reward looks at.
    #[must_use]
    pub fn of(kind: RewardKind) -> Self {
        match kind {
            RewardKind::Rouge1 => Self::Text(TextMeasure::Rouge1),
            RewardKind::Rouge2 => Self::Text(TextMeasure::Rouge2),
            RewardKind::RougeL => Self::Text(TextMeasure::RougeL),
            RewardKind::NumericDifference => Self::Text(TextMeasure::NumericDifference),
            RewardKind::Relevance => Self::Embedding,
        }
    }
}

/// A measure that needs only the two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextMeasure {
    /// [`rouge::rouge_1`].
    Rouge1,
    /// [`rouge::rouge_2`].
    Rouge2,
    /// [`rouge::rouge_l`].
    RougeL,
    /// [`numeric::numeric_difference`].
    NumericDifference,
}

impl TextMeasure {
    /// Measures `completion` against `reference`; for a penalty the reference is the challenge.
    #[must_use]
    pub fn score(self, reference: &str, completion: &str) -> Score {
        match self {
            Self::Rouge1 => rouge::rouge_1(reference, completion),
            Self::Rouge2 => rouge::rouge_2(reference, completion),
            Self::RougeL => rouge::rouge_l(reference, completion),
            Self::NumericDifference => numeric::numeric_difference(reference, completion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT_MEASURES: [TextMeasure; 4] = [
        TextMeasure::Rouge1,
        TextMeasure::Rouge2,
        TextMeasure::RougeL,
        TextMeasure::NumericDifference,
    ];

    fn in_range(score: Score) -> bool {
        (0.0..=1.0).contains(&score.get())
    }

    #[test]
    fn only_relevance_needs_embeddings() {
        for kind in [RewardKind::Rouge1, RewardKind::Rouge2, RewardKind::RougeL] {
            assert!(matches!(Measure::of(kind), Measure::Text(_)), "{kind:?}");
        }
        assert_eq!(
            Measure::of(RewardKind::NumericDifference),
            Measure::Text(TextMeasure::NumericDifference)
        );
        assert_eq!(Measure::of(RewardKind::Relevance), Measure::Embedding);
    }

    #[test]
    fn hostile_texts_of_100_kilobytes_are_measured() {
        // The worst for ROUGE-L: thousands of short sentences, each with a word of all the others.
        let sentences: String = (0..12_000).map(|i| format!("shared {i}. ")).collect();
        let texts = [
            "a".repeat(100_000),
            "a ".repeat(50_000),
            "a.".repeat(50_000),
            ".".repeat(100_000),
            " ".repeat(100_000),
            "9".repeat(100_000),
            "9*".repeat(50_000),
            r"\frac{".repeat(17_000),
            "🦀 é. ".repeat(10_000),
            sentences,
        ];
        let plain = "The answer is 42. It has two digits.";
        for text in &texts {
            for (reference, completion) in
                [(text.as_str(), text.as_str()), (plain, text), (text, plain)]
            {
                for measure in TEXT_MEASURES {
                    assert!(in_range(measure.score(reference, completion)), "{measure:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_two_texts_score_within_the_range(reference in ".*", completion in "(?s).*") {
            for measure in TEXT_MEASURES {
                prop_assert!(in_range(measure.score(&reference, &completion)));
            }
        }

        #[test]
        fn texts_of_few_words_and_many_dots_score_within_the_range(
            reference in "[ab. 0-9,/^*{}\\\\e+-]{0,60}",
            completion in "[ab. 0-9,/^*{}\\\\e+-]{0,60}",
        ) {
            for measure in TEXT_MEASURES {
                prop_assert!(in_range(measure.score(&reference, &completion)));
            }
        }
    }
}
