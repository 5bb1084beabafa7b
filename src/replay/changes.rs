//! What a file of settings changes in the rules of a run.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use sn1_actors::reward_scorer::rules::ScoringRules;

use crate::config::{Loaded, Place, Settings};

/// The settings of scoring that certain files name. All others stay as a run recorded them, not as
/// they are by default: so a file of one line changes one thing.
#[derive(Clone, Debug)]
pub struct Changes {
    settings: Settings,
    named: BTreeSet<String>,
}

impl Changes {
    /// What these files say, as far as no later layer says otherwise.
    #[must_use]
    pub fn of(loaded: &Loaded, files: &[PathBuf]) -> Self {
        let bears = |name: &str| {
            name.starts_with("rewards.") || name.starts_with("tasks.") || OTHERS.contains(&name)
        };
        let of_files = |place: &Place| match place {
            Place::File { path, .. } => files.contains(path),
            Place::Default | Place::Environment(_) | Place::Flag(_) => false,
        };
        let named = loaded.origins.0.iter().filter(|o| bears(&o.name) && of_files(&o.place));
        let named = named.map(|origin| origin.name.clone()).collect();
        Self { settings: loaded.settings.clone(), named }
    }

    /// The keys that are changed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(String::as_str)
    }

    /// Rules with the changes in them.
    #[must_use]
    pub fn over(&self, recorded: &ScoringRules) -> ScoringRules {
        let (mut rules, wanted) = (recorded.clone(), self.settings.closing());
        let neuron = &self.settings.neuron;
        let put = |name: &str| self.named.contains(name);
        let closing = &mut rules.closing;
        if put("rewards.copies") {
            closing.copies.mode = wanted.copies.mode;
        }
        if put("rewards.copy_likeness") {
            closing.copies.likeness = wanted.copies.likeness;
        }
        if put("rewards.copy_words") {
            closing.copies.min_words = wanted.copies.min_words;
        }
        if put("rewards.speed_weight") {
            closing.speed.weight = wanted.speed.weight;
        }
        if put("rewards.steepness") {
            closing.steepness = wanted.steepness;
        }
        if put(TIMEOUT) {
            closing.speed.timeout = wanted.speed.timeout;
        }
        if put(ALPHA) {
            rules.moving_average_alpha = neuron.moving_average_alpha;
        }
        if put(EMBEDDER) {
            rules.embedder.clone_from(&neuron.embedder_id);
        }
        for (kind, measures) in &mut rules.tasks {
            let (wanted, mut new) = (self.settings.tasks.measures(*kind), (**measures).clone());
            let [rewards, penalties, references, copies] =
                PARTS.map(|part| self.named.contains(&format!("tasks.{}.{part}", kind.name())));
            if rewards {
                new.rewards.clone_from(&wanted.rewards);
            }
            if penalties {
                new.penalties.clone_from(&wanted.penalties);
            }
            if references {
                new.references = wanted.references;
            }
            if copies {
                new.copies = wanted.copies;
            }
            *measures = Arc::new(new);
        }
        rules
    }
}

/// What the section `tasks` says of a kind of task.
const PARTS: [&str; 4] = ["rewards", "penalties", "references", "copies"];
const TIMEOUT: &str = "neuron.timeout";
const ALPHA: &str = "neuron.moving_average_alpha";
const EMBEDDER: &str = "neuron.embedder_id";
/// The keys of other sections that decide what is earned.
const OTHERS: [&str; 3] = [TIMEOUT, ALPHA, EMBEDDER];

#[cfg(test)]
mod tests {
    use sn1_actors::reward_scorer::closing::{ClosingRules, CopyMode};
    use sn1_actors::reward_scorer::rewards::{OfReferences, exact::EXACT};
    use sn1_actors::task_maker::tasks::TaskKind;

    use crate::config::{Inputs, KEYS, Role};

    use super::*;

    /// The rules with a file of that text put over them.
    fn changed(text: &str) -> (ScoringRules, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, text).unwrap();
        let mut inputs = Inputs { home: Some("/home/u".into()), ..Inputs::default() };
        inputs.environment = vec![("SN1_REWARDS__COPY_WORDS".into(), "77".into())];
        inputs.flags.overlays = vec![file.clone()];
        let loaded = Settings::load(Role::Validator, &inputs).unwrap();
        let changes = Changes::of(&loaded, &[file]);
        (changes.over(&recorded()), changes.names().map(str::to_owned).collect())
    }

    fn recorded() -> ScoringRules {
        let kind = TaskKind::named("qa").unwrap();
        let mut measures = kind.default_measures();
        measures.rewards.clear();
        measures.penalties.clear();
        measures.references = OfReferences::Mean;
        ScoringRules {
            tasks: [(kind, Arc::new(measures))].into(),
            closing: ClosingRules::default(),
            moving_average_alpha: 0.123,
            embedder: "recorded".to_owned(),
        }
    }

    #[test]
    fn only_what_the_file_says_is_changed() {
        assert_eq!(changed("[neuron]\nsample_size = 3\n"), (recorded(), Vec::new()));
        let (rules, named) = changed("[rewards]\ncopies = 'off'\n");
        assert_eq!(named, ["rewards.copies"]);
        assert_eq!(rules.closing.copies.mode, CopyMode::Off);
        let mut rest = rules;
        rest.closing.copies.mode = CopyMode::First;
        assert_eq!(rest, recorded());
        let (rules, _) = changed("[[tasks.qa.penalties]]\nname = 'exact'\nweight = 0.5\n");
        let of = rules.tasks.values().next().unwrap();
        assert_eq!((of.rewards.len(), of.penalties[0].kind), (0, EXACT));
        assert_eq!(of.references, OfReferences::Mean);
    }

    #[test]
    fn every_setting_of_scoring_counts() {
        let texts = [
            ("rewards", "copies", "'share'"),
            ("rewards", "copy_likeness", "0.77"),
            ("rewards", "copy_words", "50"),
            ("rewards", "speed_weight", "0.3"),
            ("rewards", "steepness", "0.6"),
            ("neuron", "timeout", "33"),
            ("neuron", "moving_average_alpha", "0.5"),
            ("neuron", "embedder_id", "'uae-large-v1'"),
        ];
        for (section, key, value) in texts {
            // The environment is the later layer, and nothing that a replay is asked for.
            let (rules, named) = changed(&format!("[{section}]\n{key} = {value}\n"));
            let expected = rules != recorded() && named == [format!("{section}.{key}")];
            assert_eq!(expected, key != "copy_words", "{section}.{key}: {named:?}");
        }
        let known = |name: &str| texts.iter().any(|(_, key, _)| name == format!("rewards.{key}"));
        for key in KEYS.iter().filter(|key| key.section() == "rewards") {
            assert!(known(key.name), "`sn1 replay` does not know {}", key.name);
        }
        let inputs = Inputs { home: Some("/home/u".into()), ..Inputs::default() };
        let loaded = Settings::load(Role::Validator, &inputs).unwrap();
        let parts = loaded.origins.0.iter().filter_map(|o| o.name.strip_prefix("tasks.qa."));
        for part in parts {
            assert!(PARTS.contains(&part), "`sn1 replay` does not know tasks.qa.{part}");
        }
    }
}
