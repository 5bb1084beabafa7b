//! What texts have in common, in more detail than the rewards say.

use serde::Serialize;
use sn1_actors::domain::Score;
use sn1_actors::reward_scorer::effort::Effort;
use sn1_actors::reward_scorer::judge::measured_part;
use sn1_actors::reward_scorer::rewards::rouge::{self, Prf, Rouge};
use sn1_actors::reward_scorer::rewards::similarity;

/// ROUGE, and the ratio of likeness; each of the reference that fits best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Parts {
    rouge_1: Prf,
    rouge_2: Prf,
    rouge_l: Prf,
    ratio: Score,
}

impl Parts {
    /// Compares an answer with every reference.
    pub(super) fn of(references: &[String], completion: &str) -> Self {
        let completion = measured_part(completion);
        let all = references.iter().map(|reference| Self::of_one(reference, completion));
        all.reduce(Self::best).unwrap_or_default()
    }

    fn of_one(reference: &str, completion: &str) -> Self {
        let effort = Effort::default();
        let Rouge { rouge_1, rouge_2, rouge_l } = rouge::scores(reference, completion, &effort);
        let ratio = similarity::ratio(reference, completion, &effort);
        Self { rouge_1, rouge_2, rouge_l, ratio }
    }

    fn best(self, other: Self) -> Self {
        let better = |one: Prf, other: Prf| if other.f > one.f { other } else { one };
        Self {
            rouge_1: better(self.rouge_1, other.rouge_1),
            rouge_2: better(self.rouge_2, other.rouge_2),
            rouge_l: better(self.rouge_l, other.rouge_l),
            ratio: if other.ratio > self.ratio { other.ratio } else { self.ratio },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_of_the_reference_that_fits_best() {
        let answer = "red green blue";
        let of = |references: &[&str]| {
            let references: Vec<String> = references.iter().map(ToString::to_string).collect();
            Parts::of(&references, answer)
        };
        // All words in another order, and one pair of words.
        let (words, pair) = (of(&["blue green red"]), of(&["red green"]));
        assert!(words.rouge_1.f > pair.rouge_1.f && words.rouge_2.f < pair.rouge_2.f);
        let both = of(&["blue green red", "red green"]);
        assert_eq!((both.rouge_1, both.rouge_2), (words.rouge_1, pair.rouge_2));
        assert_eq!(of(&[]), Parts::default());
    }
}
