use super::*;
use testkit::{fitting, planned};

#[test]
fn the_rewards_of_every_kind_sum_to_one() {
    for kind in ALL {
        let rewards = kind.default_measures().rewards;
        let sum: f64 = rewards.iter().map(|weighted| weighted.weight).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{kind:?}: {sum}");
    }
}

#[test]
fn copies_are_looked_for_only_where_answers_are_free_text() {
    for kind in ALL {
        let plan = planned(*kind, &fitting(*kind), 1).unwrap();
        let is_translation = *kind == TaskKind::named("translation").unwrap();
        let is_free = !plan.reference.is_static() && !is_translation;
        assert_eq!(kind.default_measures().copies, is_free, "{kind:?}");
    }
}

#[test]
fn every_name_is_there_once_and_finds_its_kind() {
    for kind in ALL {
        assert_eq!(TaskKind::named(kind.name()), Some(*kind));
        assert_eq!(ALL.iter().filter(|other| *other == kind).count(), 1, "{kind:?}");
    }
    assert_eq!(TaskKind::named("poetry"), None);
}

#[test]
fn a_seed_plans_one_task_and_others_plan_others() {
    for kind in ALL {
        let context = fitting(*kind);
        let plan = |seed| planned(*kind, &context, seed);
        assert!(plan(1).is_ok(), "{kind:?}: {:?}", plan(1));
        assert_eq!(plan(1), plan(1), "{kind:?}");
    }
}

#[test]
fn a_context_of_the_wrong_kind_is_refused() {
    for kind in ALL.iter().filter(|kind| !kind.definition().sources.contains(&SourceKind::Article))
    {
        assert!(planned(*kind, &testkit::article(), 1).is_err(), "{kind:?}");
    }
}

#[test]
fn a_title_is_shown_in_one_short_line() {
    let context = Context { title: "Tea\u{1b}[2J\n".repeat(1_000), ..testkit::article() };
    let shown = Unfit::new(&context, "it is no good").to_string();
    assert!(shown.starts_with("no task can be made of `Tea [2J Tea"), "{shown}");
    assert!(shown.len() < 300 && !shown.contains(char::is_control), "{shown}");
}

#[test]
fn all_prompts_of_one_task_begin_with_what_they_have_in_common() {
    for kind in ALL {
        let plan = planned(*kind, &fitting(*kind), 1).unwrap();
        let ReferencePlan::Generated { material: known, .. } = &plan.reference else { continue };
        match &plan.query {
            Text::Fixed(_) => {}
            Text::Generated(messages) => {
                let begins = messages.last().unwrap().content.starts_with(known.trim());
                assert!(begins, "{kind:?}: {messages:?}");
            }
            Text::Question { material, .. } => assert_eq!(material, known, "{kind:?}"),
        }
    }
}
