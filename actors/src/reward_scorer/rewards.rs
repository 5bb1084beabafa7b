//! The measures of an answer, one file each.
//!
//! To add one, add its file, which exports a [`RewardKind`], and its line in the table below;
//! configuration, journal and `sn1 score` take it from there.
//!
//! Every measure is pure, bounded in time and memory, and total: an answer that cannot be
//! measured earns [`Score::ZERO`]. Weights and totals are [`super::combine`]'s; embedding the
//! texts is the caller's.

mod announcement;
pub mod exact_form;
pub mod numeric;
#[cfg(test)]
mod oracle;
mod own_words;
mod stated_labels;

use serde::{Deserialize, Serialize};

use super::effort::Effort;
use crate::by_name::by_name;
use crate::domain::{MinerReply, Score};

/// Declares the files and collects what they export, so that a measure takes one line.
macro_rules! table {
    ($($file:ident { $($kind:ident),+ })+) => {
        $(pub mod $file;)+

        /// Every measure there is.
        pub const ALL: &[RewardKind] = &[$($($file::$kind),+),+];
    };
}

table! {
    rouge { ROUGE_1, ROUGE_2, ROUGE_L }
    similarity { RATIO, PARTIAL_RATIO, TOKEN_SORT_RATIO }
    relevance { RELEVANCE }
    maths_answer { FLOAT_DIFF }
    date { DATE }
    date_digits { DATE_DIGITS }
    multi_choice { MULTI_CHOICE }
    ordinal { ORDINAL }
    label { LABEL }
    exact { EXACT }
    diff { DIFF }
    overlap { OVERLAP }
    too_long { TOO_LONG }
    repetition { REPETITION }
    streaming { STREAMING }
}

/// What a measure is.
#[derive(Debug)]
pub struct Reward {
    /// The name in configuration and in the journal's keys; the original's where it had one.
    pub name: &'static str,
    /// What it measures, in a line.
    pub about: &'static str,
    /// How it measures.
    pub measure: Measure,
}

/// What a measure looks at, so that no caller forgets that some need a model.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// The two texts, the reference first. For a penalty the reference is each text that was said
    /// before, the challenge among them, and the highest score counts.
    Text(fn(&str, &str, &Effort) -> Score),
    /// The reference, the first challenge of the conversation and the completion: for what is to be
    /// made of that challenge. For a penalty the reference is as above.
    WithChallenge(fn(&str, &str, &str, &Effort) -> Score),
    /// The embeddings of reference, completion and the empty text.
    Embedding(fn(&[f32], &[f32], &[f32]) -> Score),
    /// How an answer came and how long it is, whatever it says.
    Manner(fn(&Manner<'_>, &Effort) -> Score),
}

/// How an answer came.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// What good answers say.
    pub references: &'a [String],
    /// The answer, whole, and how it arrived.
    pub reply: &'a MinerReply,
}

/// One way to measure an answer: a row of the table. Two are equal if their names are.
#[derive(Clone, Copy)]
pub struct RewardKind(&'static Reward);

impl RewardKind {
    /// What it measures, in a line.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.0.about
    }

    /// How it measures.
    #[must_use]
    pub fn measure(self) -> Measure {
        self.0.measure
    }

    /// What it gives for an answer that came as a whole, where the reference is one; none if it
    /// needs the texts' embeddings.
    #[must_use]
    pub fn without_model(
        self,
        reference: &str,
        challenge: &str,
        completion: &str,
        effort: &Effort,
    ) -> Option<Score> {
        match self.0.measure {
            Measure::Text(of) => Some(of(reference, completion, effort)),
            Measure::WithChallenge(of) => Some(of(reference, challenge, completion, effort)),
            Measure::Manner(of) => {
                let (references, reply) = ([reference.to_owned()], MinerReply::success(completion));
                Some(of(&Manner { references: &references, reply: &reply }, effort))
            }
            Measure::Embedding(_) => None,
        }
    }

    /// Whether it needs the texts' embeddings.
    #[must_use]
    pub fn embeds(self) -> bool {
        matches!(self.0.measure, Measure::Embedding(_))
    }
}

by_name!(RewardKind, "reward");

/// A measure and how much it counts, in `0.0..=1.0`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// The measure.
    #[serde(rename = "name")]
    pub kind: RewardKind,
    /// Its weight; the rewards of a task sum to 1, penalties need not.
    pub weight: f64,
}

/// How the answers to a kind of task are measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// What they earn by; the weights sum to 1.
    pub rewards: Vec<Weighted>,
    /// What takes from it.
    pub penalties: Vec<Weighted>,
    /// What counts where there are several references.
    #[serde(default)]
    pub references: OfReferences,
    /// Whether the answers of a step are looked through for copies: where the right answer is the
    /// same for all, those who give it copy nobody.
    #[serde(default = "are_looked_for")]
    pub copies: bool,
}

fn are_looked_for() -> bool {
    true
}

/// What a measure comes to over several references.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OfReferences {
    /// The best of them: each is a whole answer by itself.
    #[default]
    Best,
    /// Their mean: an answer has to have something of each.
    Mean,
}

impl OfReferences {
    /// Every way there is.
    pub const ALL: [Self; 2] = [Self::Best, Self::Mean];

    /// The name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Mean => "mean",
        }
    }

    /// One score of several; of none it is nothing.
    pub(super) fn score(self, scores: impl Iterator<Item = Score>) -> Score {
        match self {
            Self::Best => {
                scores.fold(Score::ZERO, |best, next| if next > best { next } else { best })
            }
            Self::Mean => {
                let (sum, count) =
                    scores.fold((0.0, 0.0), |(sum, n), score| (sum + score.get(), n + 1.0));
                Score::new(sum / f64::max(count, 1.0))
            }
        }
    }
}

impl Measures {
    /// Whether any of them needs the texts' embeddings.
    #[must_use]
    pub fn embed(&self) -> bool {
        self.rewards.iter().chain(&self.penalties).any(|weighted| weighted.kind.embeds())
    }
}

#[cfg(test)]
mod tests_panic;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a measure gives, with the challenge equal to one of the two texts and to neither.
    fn scores(kind: RewardKind, reference: &str, completion: &str) -> Vec<Score> {
        let challenges = [reference, completion, "```\na\n```"];
        let effort = Effort::default();
        let score = |challenge| kind.without_model(reference, challenge, completion, &effort);
        challenges.into_iter().filter_map(score).collect()
    }

    fn assert_in_range(reference: &str, completion: &str) {
        for kind in ALL {
            for score in scores(*kind, reference, completion) {
                assert!((0.0..=1.0).contains(&score.get()), "{kind:?}: {score:?}");
            }
        }
    }

    #[test]
    fn every_name_is_there_once_and_finds_its_measure() {
        for kind in ALL {
            assert_eq!(RewardKind::named(kind.name()), Some(*kind));
            assert_eq!(ALL.iter().filter(|other| *other == kind).count(), 1, "{kind:?}");
            assert!(!kind.about().is_empty(), "{kind:?}");
        }
        assert_eq!(RewardKind::named("no such reward"), None);
    }

    proptest! {
        #[test]
        fn any_two_texts_score_within_the_range(reference in ".*", completion in "(?s).*") {
            assert_in_range(&reference, &completion);
        }

        #[test]
        fn texts_of_few_words_and_many_dots_score_within_the_range(
            reference in "[ab. 0-9,/^*{}\\\\e+-]{0,60}",
            completion in "[ab. 0-9,/^*{}\\\\e+-]{0,60}",
        ) {
            assert_in_range(&reference, &completion);
        }
    }
}
