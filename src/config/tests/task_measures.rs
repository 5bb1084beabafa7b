use serde_json::json;
use sn1_actors::reward_scorer::rewards::{Measures, OfReferences};
use sn1_actors::task_maker::tasks::{self, TaskKind};

use super::*;

const MIXED: &str = "[[tasks.qa.rewards]]\nname = \"rouge_l\"\nweight = 0.75\n\n[[tasks.qa.rewards]]\n\
                     name = \"rouge_2\"\nweight = 0.25\n";

fn qa() -> TaskKind {
    TaskKind::named("qa").unwrap()
}

fn measures(inputs: &Inputs) -> Measures {
    Measures::clone(&validator(inputs).tasks.measures(qa()))
}

/// Pairs of names and weights.
fn shown(list: &[sn1_actors::reward_scorer::rewards::Weighted]) -> Vec<(&'static str, f64)> {
    list.iter().map(|weighted| (weighted.kind.name(), weighted.weight)).collect()
}

#[test]
fn mixes_measures_without_a_compiler() {
    let folder = TempDir::new().unwrap();
    let mut inputs = with_file(&write(&folder, "a.toml", MIXED));
    let mixed = measures(&inputs);
    assert_eq!(shown(&mixed.rewards), [("rouge_l", 0.75), ("rouge_2", 0.25)]);
    assert_eq!(mixed.penalties, qa().default_measures().penalties);
    let mix = validator(&inputs).neuron.task_mix;
    let share = mix.iter().find(|share| share.kind == qa()).unwrap();
    assert_eq!(*share.measures, mixed, "what is asked is measured so");

    // A later file replaces a list whole, and an empty one takes it away.
    let later =
        "tasks.qa.rewards = [{ name = \"relevance\", weight = 1 }]\ntasks.qa.penalties = []\n";
    inputs.flags.overlays.push(write(&folder, "b.toml", later));
    let replaced = measures(&inputs);
    assert_eq!((shown(&replaced.rewards), replaced.penalties), (vec![("relevance", 1.0)], vec![]));
}

#[test]
fn says_what_counts_of_several_references_and_whether_copies_are_looked_for() {
    let folder = TempDir::new().unwrap();
    let default = measures(&inputs());
    assert_eq!((default.references, default.copies), (OfReferences::Best, true));
    let text = format!("{MIXED}\n[tasks.qa]\nreferences = \"mean\"\ncopies = false\n");
    let path = write(&folder, "a.toml", &text);
    let mut inputs = with_file(&path);
    let changed = measures(&inputs);
    assert_eq!((changed.references, changed.copies), (OfReferences::Mean, false));
    assert_eq!(shown(&changed.rewards), [("rouge_l", 0.75), ("rouge_2", 0.25)]);
    assert_eq!(changed.penalties, default.penalties);
    let origins = Settings::load(Role::Validator, &inputs).unwrap().origins;
    for (name, value) in [("references", json!("mean")), ("copies", json!(false))] {
        let origin = origins.find(&format!("tasks.qa.{name}")).unwrap();
        let place = Place::File { path: path.clone(), line: None };
        assert_eq!((&origin.value, &origin.place), (&value, &place));
        let other = origins.find(&format!("tasks.summarization.{name}")).unwrap();
        assert_eq!(other.place, Place::Default);
    }

    // A later layer has the last word, of that alone which it says.
    inputs.flags.overlays.push(write(&folder, "b.toml", "tasks.qa.references = \"best\"\n"));
    let replaced = measures(&inputs);
    assert_eq!((replaced.references, replaced.copies), (OfReferences::Best, false));
}

#[test]
fn shows_what_is_in_effect_of_every_kind() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "a.toml", MIXED);
    let origins = Settings::load(Role::Validator, &with_file(&path)).unwrap().origins;
    let rewards = origins.find("tasks.qa.rewards").unwrap();
    assert_eq!(rewards.place, Place::File { path, line: None });
    let (l, two) =
        (json!({"name": "rouge_l", "weight": 0.75}), json!({"name": "rouge_2", "weight": 0.25}));
    assert_eq!(rewards.value, json!([l, two]));
    for kind in tasks::ALL {
        let penalties = origins.find(&format!("tasks.{}.penalties", kind.name())).unwrap();
        assert_eq!(penalties.place, Place::Default);
    }
    let miner = Settings::load(Role::Miner, &inputs()).unwrap().origins;
    assert_eq!(miner.find("tasks.qa.rewards"), None, "a miner measures nothing");
}

#[test]
fn says_what_is_wrong_with_a_list_and_in_which_line() {
    let folder = TempDir::new().unwrap();
    let of = |text: &str| refusal(Role::Validator, &with_file(&write(&folder, "x.toml", text)));
    let item = |name: &str, weight: &str| {
        format!("[[tasks.qa.rewards]]\nname = \"{name}\"\nweight = {weight}\n")
    };
    let good = item("rouge_1", "0.5");
    for (text, line, message) in [
        (format!("{good}{}", item("rouge_2", "0.4")), 1, "must sum to 1, not 0.9"),
        (format!("{good}{good}"), 4, "names `rouge_1` twice"),
        (format!("{good}{}", item("relevence", "0.5")), 4, "did you mean `relevance`?"),
        (item("no", "1"), 1, "names \"no\", which is none of rouge_1, "),
        (item("rouge_1", "1.5"), 1, "a `weight` from 0 to 1 (that of `rouge_1` here), not 1.5"),
        (item("rouge_1", "nan"), 1, "not nan"),
        (item("rouge_1", "\"1\""), 1, "not \"1\""),
        (
            item("rouge_1", "1").replace("weight", "wieght"),
            1,
            "did you mean `tasks.qa.rewards.weight`?",
        ),
        (good.replace("name", "# name"), 1, "the `name` of a measure, not nothing"),
        (good.replace("weight", "# weight"), 1, "not nothing"),
        ("[tasks.qa]\n\nrewards = 1\n".to_owned(), 3, "must be a list of tables"),
        ("[tasks.qa]\nrewards = []\n".to_owned(), 2, "must sum to 1, not 0"),
        ("[tasks.qa]\nrewards = [1]\n".to_owned(), 2, "must be a list of tables"),
        ("[tasks.qa]\nrewads = []\n".to_owned(), 2, "did you mean `tasks.qa.rewards`?"),
        ("[tasks.maths]\nrewards = []\n".to_owned(), 2, "did you mean `tasks.math.rewards`?"),
        ("[tasks.poetry]\nrewards = []\n".to_owned(), 2, "unknown key `tasks.poetry.rewards`"),
        ("[tasks]\nqa = 1\n".to_owned(), 2, "`tasks.qa` must be a section, [tasks.qa], not 1"),
        ("[tasks.qa]\nreferences = \"worst\"\n".to_owned(), 2, "must be one of best, mean, not"),
        ("[tasks.qa]\n\nreferences = 1\n".to_owned(), 3, "must be one of best, mean, not 1"),
        ("[tasks.qa]\ncopies = \"no\"\n".to_owned(), 2, "must be true or false, not \"no\""),
        ("[tasks.qa]\ncopys = true\n".to_owned(), 2, "did you mean `tasks.qa.copies`?"),
        ("tasks = 1\n".to_owned(), 1, "`tasks` must be a section, [tasks], not 1"),
    ] {
        let errors = of(&text);
        let said = errors.to_string();
        assert_eq!(errors.0.len(), 1, "{said}");
        assert!(said.contains(&format!("x.toml:{line}: ")) && said.contains(message), "{said}");
    }
}

#[test]
fn says_that_the_section_belongs_into_a_file() {
    let flag = only(Role::Validator, &with_flags(&["--tasks.qa.rewards", "rouge_1"]));
    assert_eq!(flag.place, Place::Flag("--tasks.qa.rewards".to_owned()));
    assert!(flag.to_string().contains("write [[tasks.qa.rewards]]"), "{flag}");
    for name in ["SN1_TASKS__MATH__PENALTIES", "SN1_TASKS__MATH.PENALTIES"] {
        let variable = only(Role::Validator, &with_environment(&[(name, "rouge_1")]));
        assert!(variable.to_string().contains("write [[tasks.math.penalties]]"), "{variable}");
    }
    let flag = only(Role::Validator, &with_flags(&["--tasks.qa.references", "mean"]));
    let message = "write `references = \"best\"` or `\"mean\"` below [tasks.qa] into a file";
    assert!(flag.to_string().contains(message), "{flag}");
    let variable = only(Role::Validator, &with_environment(&[("SN1_TASKS__QA__COPIES", "false")]));
    let message = "write `copies = true` or `false` below [tasks.qa] into a file";
    assert!(variable.to_string().contains(message), "{variable}");
    let help = command().render_long_help().to_string();
    assert!(!help.contains("tasks.qa.rewards"), "{help}");
}

#[test]
fn warns_a_miner_that_measures_nothing() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "a.toml", MIXED);
    let warnings = Settings::load(Role::Miner, &with_file(&path)).unwrap().warnings;
    let expected = format!("{}:1: `tasks.qa.rewards` has no effect in `sn1 miner`", path.display());
    assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}
