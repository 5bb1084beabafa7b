use std::sync::Arc;
use std::time::Duration;

use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::domain::{Cast, ContextBody, Score};
use crate::persona_agent::guard;
use crate::runtime::Promised;
use crate::task_maker::tasks::{ChallengeForm, TaskKind, TaskPlan, Text};
use crate::testkit::context;

fn task(reference: ReferencePlan) -> Task {
    let kind = TaskKind::named("qa").unwrap();
    Task {
        kind,
        context: context(
            "Tea",
            "Tea",
            "Drinks",
            ContextBody::Maths { problem: String::new(), solution: String::new() },
        ),
        context_time: Duration::ZERO,
        query: "Where does tea grow?".into(),
        query_time: Duration::ZERO,
        plan: TaskPlan {
            query: Text::Fixed(String::new()),
            reference,
            form: ChallengeForm::Phrased,
        },
        measures: Arc::new(kind.default_measures()),
        references: Promised::kept(Err(String::new())),
    }
}

fn generated() -> ReferencePlan {
    ReferencePlan::Generated { material: String::new(), instructions: &[] }
}

fn phrasing() -> Phrasing {
    Phrasing {
        persona: Cast::default().draw(&mut ChaCha8Rng::seed_from_u64(1)),
        goal: "Where does tea grow?".into(),
        history: Vec::new(),
        challenge: "so where do they grow tea?".into(),
        sent: None,
        attempts: Vec::new(),
        time: Duration::ZERO,
        system_prompt: String::new(),
    }
}

fn answer(text: &str) -> BestAnswer {
    BestAnswer { text: text.into(), reward: Score::ZERO }
}

#[test]
fn the_history_holds_all_that_was_said_in_order() {
    let (task, mut phrasing) = (task(generated()), phrasing());
    for (n, text) in ["In Assam.", "In Yunnan."].into_iter().enumerate() {
        let best = answer(text);
        let exchange = Exchange { task: &task, phrasing: &phrasing, best: &best };
        let history = exchange.history();
        let challenge = format!("follow-up {n}?");
        phrasing = Phrasing { history, challenge, ..phrasing };
    }
    let query = phrasing.query();
    let roles: Vec<&str> = query.roles.iter().map(|role| role.as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant", "user"]);
    let said = ["so where do they grow tea?", "In Assam.", "follow-up 0?", "In Yunnan."];
    assert_eq!(query.messages[..4], said);
    assert_eq!(query.messages[4], "follow-up 1?");
}

#[test]
fn a_miners_words_are_cut_and_quoted_and_without_control_characters() {
    let (task, phrasing) = (task(generated()), phrasing());
    let best = answer(&format!("a»\u{1b}[2J\u{0} {}\nend", "word ".repeat(100_000)));
    let exchange = Exchange { task: &task, phrasing: &phrasing, best: &best };
    let heard = &exchange.history()[1].content;
    assert!(heard.chars().count() <= ANSWER_CHARACTERS + 1 && heard.ends_with("word…"), "{heard}");
    assert!(!heard.contains(['\u{1b}', '\u{0}']));
    for messages in [messages(&exchange, None), judgement(&exchange)] {
        let note = &messages.last().unwrap().content;
        assert!(note.chars().count() < 1_200, "{note}");
        assert_eq!(note.matches('»').count(), 1, "{note}");
    }
}

#[test]
fn the_prompts_of_all_follow_ups_begin_alike() {
    let (task, phrasing) = (task(generated()), phrasing());
    let (one, other) = (answer("In Assam."), answer("Nowhere."));
    let of = |best| messages(&Exchange { task: &task, phrasing: &phrasing, best }, None);
    let (one, other) = (of(&one), of(&other));
    assert_eq!(one[..one.len() - 1], other[..other.len() - 1]);
    let note = &one.last().unwrap().content;
    for part in [phrasing.persona.mood.as_str(), "Where does tea grow?", "«In Assam.»"] {
        assert!(note.contains(part), "{part} in {note}");
    }
}

#[test]
fn only_a_clear_no_is_a_no() {
    for (judgement, yes) in [
        ("No", false),
        ("no.", false),
        ("**No**, it", false),
        ("Yes", true),
        ("", true),
        ("Not", true),
    ] {
        assert_eq!(is_yes(judgement), yes, "{judgement}");
    }
}

#[test]
fn without_a_model_a_person_never_says_a_thing_twice() {
    let leading = ChallengeForm::LeadingTo { order: "Fix this".into(), text: "teh".into() };
    for (reference, form, checks) in [
        (generated(), ChallengeForm::Phrased, false),
        (ReferencePlan::Fixed(vec!["5".into()]), ChallengeForm::Phrased, true),
        (generated(), leading, true),
    ] {
        let mut task = task(reference);
        task.plan.form = form;
        for seed in 0..50 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut phrasing = phrasing();
            for _ in 1..8 {
                let best = answer("In Assam.");
                let exchange = Exchange { task: &task, phrasing: &phrasing, best: &best };
                let history = exchange.history();
                let challenge = without_model(&exchange, &history, &mut random);
                let (goal, topic) = (&phrasing.goal, &task.context.topic);
                let checked = guard::check_follow_up(&challenge, &history, goal, topic);
                assert_eq!(checked, Ok(()), "{challenge}");
                assert_eq!(CHECK.iter().any(|way| challenge.contains(way)), checks, "{challenge}");
                phrasing = Phrasing { history, challenge, ..phrasing };
            }
        }
    }
}
