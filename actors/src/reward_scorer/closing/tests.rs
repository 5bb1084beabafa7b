use super::*;
use crate::task_maker::tasks::TaskKind;
use proptest::prelude::*;

/// Answers that came one second after the other.
fn candidates(totals: &[f64]) -> Vec<Candidate<'static>> {
    let candidate = |(at, total): (u16, &f64)| Candidate {
        uid: Uid(at),
        completion: "Tea grows best on warm hills where it rains a lot, as in Assam and Darjeeling.",
        total: Score::new(*total),
        elapsed: Duration::from_secs(at.into()),
        arrived: Duration::from_secs(at.into()),
    };
    (0..).zip(totals).map(candidate).collect()
}

fn measures(name: &str) -> Measures {
    TaskKind::named(name).unwrap().default_measures()
}

fn rewards(verdicts: &[Verdict]) -> Vec<f64> {
    verdicts.iter().map(|verdict| verdict.reward.get()).collect()
}

#[test]
fn the_same_words_are_copies_in_a_summary_and_none_in_a_repair() {
    let candidates = candidates(&[0.8, 0.8]);
    let rules = ClosingRules::default();
    let summaries = close(&rules, &measures("summarization"), &candidates);
    assert_eq!(rewards(&summaries), [0.8, 0.0]);
    assert_eq!(summaries[1].copy_of, Some(Uid(0)));
    let repairs = close(&rules, &measures("debugging"), &candidates);
    assert_eq!(rewards(&repairs), [0.8, 0.8]);
    assert_eq!(repairs[1].copy_of, None);
}

#[test]
fn speed_counts_before_the_curve_and_a_copy_is_not_the_best() {
    let measures = measures("debugging");
    let speed = SpeedRule { weight: 1.0, timeout: Duration::from_secs(4) };
    let rules = ClosingRules { speed, steepness: Steepness(1.0), ..ClosingRules::default() };
    // Half of 0.8 is more than what is left of 0.9 after three quarters.
    let verdicts = close(&rules, &measures, &candidates(&[0.0, 0.2, 0.8, 0.9]));
    assert_eq!(verdicts.iter().map(|v| v.speed).collect::<Vec<_>>(), [1.0, 0.75, 0.5, 0.25]);
    let rewards = rewards(&verdicts);
    assert_eq!((rewards[0], rewards[2]), (0.0, 0.4));
    assert!(rewards[1] < 1e-30 && rewards[3] < 1e-20, "{rewards:?}");
}

#[test]
fn a_copy_that_is_worth_more_than_its_author_does_not_bend_the_step() {
    let rules = ClosingRules { steepness: Steepness(0.7), ..ClosingRules::default() };
    let verdicts = close(&rules, &measures("qa"), &candidates(&[0.5, 0.9]));
    assert_eq!(rewards(&verdicts), [0.5, 0.0]);
}

#[test]
fn a_step_without_answers_has_no_verdicts() {
    assert_eq!(close(&ClosingRules::default(), &measures("qa"), &[]), []);
}

proptest! {
    #[test]
    fn the_default_rules_leave_every_bit_of_a_step_without_copies(
        totals in prop::collection::vec(0.0..=1.0, 0..20),
    ) {
        let rules = ClosingRules {
            speed: SpeedRule { timeout: Duration::from_secs(5), ..SpeedRule::default() },
            ..ClosingRules::default()
        };
        let verdicts = close(&rules, &measures("debugging"), &candidates(&totals));
        let bits = |list: &[f64]| list.iter().map(|reward| reward.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&rewards(&verdicts)), bits(&totals));
        prop_assert!(verdicts.iter().all(|v| v.speed == 1.0 && v.copy_of.is_none()));
    }

    #[test]
    fn nobody_earns_more_than_it_was_measured_or_what_its_author_was(
        totals in prop::collection::vec(0.0..=1.0, 1..8),
        mode in prop::sample::select(&CopyMode::ALL),
        weight in 0.0..=1.0,
        steepness in 0.5..=1.0,
    ) {
        let rules = ClosingRules {
            copies: CopyRule { mode, ..CopyRule::default() },
            speed: SpeedRule { weight, timeout: Duration::from_secs(5) },
            steepness: Steepness(steepness),
        };
        let verdicts = close(&rules, &measures("qa"), &candidates(&totals));
        for (verdict, total) in verdicts.iter().zip(&totals) {
            let most = if verdict.copy_of.is_some() { 1.0 } else { *total };
            prop_assert!((0.0..=most + 1e-12).contains(&verdict.reward.get()));
        }
    }
}
