use std::collections::BTreeSet;

use futures_util::FutureExt;
use rand_chacha::rand_core::SeedableRng;
use sn1_actors::domain::{Score, SourceKind};
use sn1_actors::reward_scorer::effort::Effort;
use sn1_actors::reward_scorer::rewards::maths_answer::maths_answer;

use super::exact::common_divisor;
use super::*;

fn fetch(want: Want, seed: u64) -> Result<Context, ToolError> {
    Maths.fetch(want, ChaCha8Rng::seed_from_u64(seed)).now_or_never().expect("is ready at once")
}

/// Problems and solutions of a kind.
fn drawn(kind: &Kind, count: u64) -> Vec<(String, String)> {
    let draw = |seed| match Maths::of_kind(kind.name, &mut ChaCha8Rng::seed_from_u64(seed)) {
        Some(Context { body: ContextBody::Maths { problem, solution }, .. }) => (problem, solution),
        other => panic!("{other:?}"),
    };
    (0..count).map(draw).collect()
}

#[test]
fn draws_every_kind_and_names_it_in_the_context() {
    let names: BTreeSet<&str> = Maths::kinds().map(|kind| kind.name).collect();
    assert_eq!(names.len(), Maths::kinds().count(), "names are unique");
    let drawn: BTreeSet<String> = (0..3000)
        .map(|seed| {
            let context = fetch(Want::Random(SourceKind::Maths), seed).unwrap();
            assert_eq!(context.source, "maths");
            assert_eq!(context.title, context.subtopic);
            assert_eq!(context.tags[0], context.topic);
            context.tags[1].clone()
        })
        .collect();
    assert_eq!(drawn, names.into_iter().map(str::to_owned).collect());
}

#[test]
fn the_same_seed_gives_the_same_problem_and_another_seed_another() {
    let draw = |seed| fetch(Want::Random(SourceKind::Maths), seed).unwrap();
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}

#[test]
fn a_kind_is_found_by_its_name_and_by_its_title_in_any_case() {
    for wanted in ["volume_cone", "VOLUME OF CONE"] {
        let context = fetch(Want::Title(wanted.into()), 3).unwrap();
        assert_eq!(context.tags, ["geometry", "volume_cone"]);
    }
    let nothing = Err(ToolError::Nothing { tool: "maths" });
    assert_eq!(fetch(Want::Title("volume".into()), 3), nothing);
}

#[test]
fn has_nothing_for_searches_and_other_kinds_of_source() {
    let nothing = Err(ToolError::Nothing { tool: "maths" });
    assert_eq!(fetch(Want::Search(SourceKind::Maths, "What is 2 plus 2?".into()), 1), nothing);
    assert_eq!(fetch(Want::Random(SourceKind::Article), 1), nothing);
    assert!(Maths.offers(SourceKind::Maths));
    assert!(!Maths.offers(SourceKind::Question));
}

#[test]
fn every_statement_and_every_solution_is_plain_text_of_one_line() {
    for kind in Maths::kinds() {
        for (problem, solution) in drawn(kind, 200) {
            let plain = |text: &str| text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
            assert!(plain(&problem) && plain(&solution), "{}: {problem} {solution}", kind.name);
            assert!(problem.ends_with(['.', '?']), "{}: {problem}", kind.name);
            // What vanishes is not written.
            for slip in ["  ", "+ -", "- -", " 0x", " 1x", "-1x", "$", "\\"] {
                assert!(!problem.contains(slip), "{}: {slip:?} in {problem}", kind.name);
            }
        }
    }
}

#[test]
fn no_answer_of_a_kind_can_be_guessed_from_its_name() {
    for kind in Maths::kinds() {
        let problems = drawn(kind, 300);
        let distinct: BTreeSet<&String> = problems.iter().map(|(problem, _)| problem).collect();
        assert!(distinct.len() >= 15, "{}: {} statements", kind.name, distinct.len());
        let commonest = problems
            .iter()
            .map(|(_, answer)| problems.iter().filter(|(_, other)| other == answer).count())
            .max();
        // A word is one of a few, but never the same one.
        let most = if kind.form == Form::Word { 190 } else { 90 };
        assert!(commonest <= Some(most), "{}: {commonest:?} of 300 alike", kind.name);
    }
}

#[test]
fn every_solution_has_the_form_that_its_kind_names() {
    for kind in Maths::kinds() {
        for (problem, solution) in drawn(kind, 200) {
            assert!(fits(kind.form, &solution), "{}: {problem} {solution}", kind.name);
        }
    }
}

#[test]
fn every_solution_earns_all_and_the_statement_sent_back_nothing() {
    let score = |solution: &str, problem: &str, said: &str| {
        maths_answer(solution, problem, said, &Effort::default())
    };
    for kind in Maths::kinds() {
        for (problem, solution) in drawn(kind, 100) {
            for said in [
                solution.clone(),
                format!("The answer is {solution}."),
                format!("{problem}\nThe answer is {solution}."),
                format!("{problem} {solution}"),
            ] {
                let score = score(&solution, &problem, &said);
                assert_eq!(score, Score::ONE, "{}: {said} for {solution}", kind.name);
            }
            for said in [problem.clone(), format!("You asked: {}", problem.to_uppercase())] {
                let score = score(&solution, &problem, &said);
                assert_eq!(score, Score::ZERO, "{}: {said} for {solution}", kind.name);
            }
        }
    }
}

#[test]
fn a_solution_that_was_altered_earns_less_and_no_exact_one_anything() {
    for kind in Maths::kinds() {
        for (problem, solution) in drawn(kind, 20) {
            // Another solution of the kind that is not the same by value.
            let others = drawn(kind, 32).into_iter().skip(20).map(|(_, other)| other);
            for other in others.filter(|other| *other != solution) {
                let said = format!("The answer is {other}.");
                let score = maths_answer(&solution, &problem, &said, &Effort::default());
                let is_decimal = solution.parse::<f64>().is_ok();
                let most = if is_decimal { 1.0 - 1e-9 } else { 0.0 };
                assert!(score.get() <= most, "{}: {other} for {solution}: {score:?}", kind.name);
            }
        }
    }
}

fn fits(form: Form, solution: &str) -> bool {
    let listed = |text: &str| text.split(", ").all(|part| part.parse::<f64>().is_ok());
    let within = |open: &str, close: &str| solution.strip_prefix(open)?.strip_suffix(close);
    let made_of = |allowed: &str| {
        !solution.is_empty() && solution.chars().all(|c| c.is_ascii_digit() || allowed.contains(c))
    };
    match form {
        Form::Number => solution.parse::<f64>().is_ok(),
        Form::Fraction => match solution.split_once('/') {
            Some((above, below)) => match (above.parse(), below.parse()) {
                (Ok(above), Ok(below)) => below > 1 && common_divisor(above, below) == 1,
                _ => false,
            },
            None => solution.parse::<i64>().is_ok(),
        },
        Form::List => listed(solution),
        Form::Set => within("{", "}").is_some_and(|inner| inner.is_empty() || listed(inner)),
        Form::Tuple => within("(", ")").is_some_and(|inner| inner.split(", ").count() > 1),
        Form::Matrix => within("[[", "]]").is_some_and(|rows| {
            let widths: BTreeSet<usize> =
                rows.split("], [").map(|row| row.split(", ").count()).collect();
            widths.len() == 1
        }),
        Form::Polynomial => made_of("x^+-/() "),
        Form::Complex => made_of("+-i.") && !solution.contains(' '),
        Form::Word => !solution.is_empty() && !solution.contains(' '),
        Form::Text => !solution.is_empty(),
    }
}
