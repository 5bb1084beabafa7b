//! Likeness of meaning: how much nearer an answer is to the reference than silence is.

use super::{Measure, Reward, RewardKind};
use crate::domain::Score;

/// Likeness of meaning.
pub const RELEVANCE: RewardKind = RewardKind(&Reward {
    name: "relevance",
    about: "likeness of meaning to the reference, beyond that of an empty answer",
    measure: Measure::Embedding(relevance),
});

/// `cos(reference, completion) - cos(reference, empty)`, clipped to the range of a score.
///
/// The three are embeddings by the same model; `empty` is that of the empty text, which takes away
/// the likeness that any text has (original-system.md §1.9). Vectors of different length, without
/// direction, or with a component that is not finite score 0.
#[must_use]
pub fn relevance(reference: &[f32], completion: &[f32], empty: &[f32]) -> Score {
    match (cosine(reference, completion), cosine(reference, empty)) {
        (Some(answer), Some(silence)) => Score::new(answer - silence),
        _ => Score::ZERO,
    }
}

fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let dot = |x: &[f32], y: &[f32]| -> f64 {
        x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    // The engine gives unit vectors; dividing by the norms keeps a faulty one within -1..=1.
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    cosine.is_finite().then_some(cosine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_likeness_of_silence_is_taken_off() {
        let reference = [1.0, 0.0, 0.0];
        let empty = [0.6, 0.8, 0.0];
        assert!((relevance(&reference, &reference, &empty).get() - 0.4).abs() < 1e-6);
        let answer = [0.8, 0.0, 0.6];
        assert!((relevance(&reference, &answer, &empty).get() - 0.2).abs() < 1e-6);
    }

    #[test]
    fn an_answer_no_nearer_than_silence_earns_nothing() {
        let (reference, empty) = ([1.0, 0.0], [0.6, 0.8]);
        assert_eq!(relevance(&reference, &empty, &empty), Score::ZERO);
        assert_eq!(relevance(&reference, &[-1.0, 0.0], &empty), Score::ZERO);
    }

    #[test]
    fn vectors_that_cannot_be_compared_earn_nothing() {
        let (one, opposite) = ([1.0_f32, 0.0], [-1.0_f32, 0.0]);
        assert_eq!(relevance(&one, &[1.0], &opposite), Score::ZERO);
        assert_eq!(relevance(&one, &one, &[-1.0]), Score::ZERO);
        assert_eq!(relevance(&[], &[], &[]), Score::ZERO);
        assert_eq!(relevance(&one, &[0.0, 0.0], &opposite), Score::ZERO);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(relevance(&one, &[bad, 0.0], &opposite), Score::ZERO);
            assert_eq!(relevance(&one, &one, &[bad, 0.0]), Score::ZERO);
        }
    }

    proptest! {
        #[test]
        fn any_vectors_score_within_the_range(
            a in prop::collection::vec(any::<f32>(), 0..6),
            b in prop::collection::vec(any::<f32>(), 0..6),
            c in prop::collection::vec(any::<f32>(), 0..6),
        ) {
            prop_assert!((0.0..=1.0).contains(&relevance(&a, &b, &c).get()));
        }
    }
}
