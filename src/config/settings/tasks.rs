//! The section `tasks`: by which measures the answers to each kind of task are scored.
//!
//! `[[tasks.qa.rewards]]` and `[[tasks.qa.penalties]]`, each with `name` and `weight`; the kinds are
//! those of the table of tasks and the names those of the table of measures, so that a new kind or
//! measure needs no word here. A list replaces the one of an earlier layer whole. Such lists have no
//! form as a flag or a variable and stand in files only.

use std::collections::BTreeMap;
use std::sync::Arc;

use sn1_actors::reward_scorer::rewards::{self, Measures, RewardKind, Weighted};
use sn1_actors::task_maker::tasks::{self, TaskKind};

use crate::config::origin::{Origin, Place};
use crate::config::problem::{ProblemKind, shortened, shown};
use crate::config::suggest;
use crate::config::toml_file::Leaf;

const SECTION: &str = "tasks";
/// How far the weights of rewards may be from 1 together.
const SUM_TOLERANCE: f64 = 1e-6;

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Rewards,
    Penalties,
}

impl Part {
    const ALL: [Self; 2] = [Self::Rewards, Self::Penalties];

    fn name(self) -> &'static str {
        match self {
            Self::Rewards => "rewards",
            Self::Penalties => "penalties",
        }
    }

    fn default(self, kind: TaskKind) -> Vec<Weighted> {
        let Measures { rewards, penalties, .. } = kind.default_measures();
        match self {
            Self::Rewards => rewards,
            Self::Penalties => penalties,
        }
    }
}

/// The lists that files give; kinds without any are measured as their file in `task_maker/tasks`
/// says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskLists(BTreeMap<(TaskKind, Part), (Vec<Weighted>, Place)>);

impl TaskLists {
    /// How the answers to a kind of task are measured.
    #[must_use]
    pub fn measures(&self, kind: TaskKind) -> Arc<Measures> {
        let list = |part| self.list(kind, part).0;
        let (rewards, penalties) = (list(Part::Rewards), list(Part::Penalties));
        let references = kind.default_measures().references;
        Arc::new(Measures { rewards, penalties, references })
    }

    fn list(&self, kind: TaskKind, part: Part) -> (Vec<Weighted>, Place) {
        let given = self.0.get(&(kind, part)).cloned();
        given.unwrap_or_else(|| (part.default(kind), Place::Default))
    }

    /// The dotted names of all lists that there can be.
    pub(in crate::config) fn names() -> impl Iterator<Item = String> {
        Self::all().map(|(kind, part)| full_name(kind, part))
    }

    fn all() -> impl Iterator<Item = (TaskKind, Part)> {
        tasks::ALL.iter().flat_map(|kind| Part::ALL.map(|part| (*kind, part)))
    }

    /// Whether a dotted name is of the section.
    pub(in crate::config) fn holds(name: &str) -> bool {
        name.strip_prefix(SECTION).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// What is wrong with a flag or a variable of the section.
    pub(in crate::config) fn in_files_only(name: &str) -> ProblemKind {
        let name = match find(name) {
            Some((kind, part)) => full_name(kind, part),
            None => format!("{SECTION}.qa.rewards"),
        };
        ProblemKind::Inconsistent(format!(
            "the section `{SECTION}` has no flags and no variables; write [[{name}]] with `name` \
             and `weight` into a file, and give that with --config"
        ))
    }

    /// Takes a list of a file in the place of what earlier layers say; returns what is wrong with
    /// it, each with the line.
    pub(in crate::config) fn take(
        &mut self,
        leaf: &Leaf,
        place: &dyn Fn(Option<usize>) -> Place,
    ) -> Vec<(Option<usize>, ProblemKind)> {
        let Some((kind, part)) = find(&leaf.key) else {
            return vec![(leaf.line, unknown(leaf))];
        };
        match read(leaf, part) {
            Ok(list) => {
                self.0.insert((kind, part), (list, place(leaf.line)));
                Vec::new()
            }
            Err(problems) => problems,
        }
    }

    /// What is in effect of every list, and where it came from.
    pub(in crate::config) fn origins(&self) -> impl Iterator<Item = Origin> {
        Self::all().map(|(kind, part)| {
            let (list, place) = self.list(kind, part);
            // As for keys, a file is told without the line.
            let place = match place {
                Place::File { path, .. } => Place::File { path, line: None },
                other => other,
            };
            let value = serde_json::to_value(list).unwrap_or_default();
            Origin { name: full_name(kind, part), value, place }
        })
    }
}

fn full_name(kind: TaskKind, part: Part) -> String {
    format!("{SECTION}.{}.{}", kind.name(), part.name())
}

fn find(name: &str) -> Option<(TaskKind, Part)> {
    TaskLists::all().find(|(kind, part)| full_name(*kind, *part) == name)
}

fn unknown(leaf: &Leaf) -> ProblemKind {
    let key = shortened(&leaf.key);
    let rest = leaf.key.strip_prefix(SECTION).unwrap_or_default();
    let kind = rest.strip_prefix('.').and_then(TaskKind::named);
    if rest.is_empty() || kind.is_some() {
        let (expected, found) = (format!("a section, [{key}]"), shortened(&leaf.value.to_string()));
        return ProblemKind::BadValue { key, expected, found };
    }
    let names: Vec<String> = TaskLists::names().collect();
    let suggestion = suggest::typed(&leaf.key, names.iter().map(String::as_str));
    ProblemKind::UnknownKey { key, suggestion: suggestion.map(ToOwned::to_owned) }
}

/// The items of a list, or all that is wrong with it.
fn read(leaf: &Leaf, part: Part) -> Result<Vec<Weighted>, Vec<(Option<usize>, ProblemKind)>> {
    let bad = |expected: &str, found: &toml::Value| ProblemKind::BadValue {
        key: leaf.key.clone(),
        expected: expected.to_owned(),
        found: shortened(&found.to_string()),
    };
    let Some(items) = leaf.value.as_array() else {
        let kind = bad("a list of tables with `name` and `weight`", &leaf.value);
        return Err(vec![(leaf.line, kind)]);
    };
    let (mut list, mut problems): (Vec<Weighted>, _) = (Vec::new(), Vec::new());
    for (at, item) in items.iter().enumerate() {
        match weighted(&leaf.key, item) {
            Ok(new) if list.iter().any(|old| old.kind == new.kind) => {
                let message = format!("`{}` names `{}` twice", leaf.key, new.kind.name());
                problems.push((leaf.line_of(at), ProblemKind::Inconsistent(message)));
            }
            Ok(new) => list.push(new),
            Err(kind) => problems.push((leaf.line_of(at), kind)),
        }
    }
    // Not `sum()`: of nothing it is -0.
    let sum = list.iter().fold(0.0, |sum, weighted| sum + weighted.weight);
    if problems.is_empty() && part == Part::Rewards && (sum - 1.0).abs() > SUM_TOLERANCE {
        let message = format!("the weights of `{}` must sum to 1, not {sum}", leaf.key);
        problems.push((leaf.line, ProblemKind::Inconsistent(message)));
    }
    if problems.is_empty() { Ok(list) } else { Err(problems) }
}

/// One item of the list `key`.
fn weighted(key: &str, item: &toml::Value) -> Result<Weighted, ProblemKind> {
    let bad = |expected: String, found: Option<&toml::Value>| ProblemKind::BadValue {
        key: key.to_owned(),
        expected,
        found: found.map_or("nothing".to_owned(), |found| shortened(&found.to_string())),
    };
    let Some(table) = item.as_table() else {
        return Err(bad("a list of tables with `name` and `weight`".to_owned(), Some(item)));
    };
    if let Some(other) = table.keys().find(|field| !["name", "weight"].contains(&field.as_str())) {
        let suggestion = suggest::typed(other, ["name", "weight"].into_iter());
        let suggestion = suggestion.map(|field| format!("{key}.{field}"));
        let key = format!("{key}.{}", shortened(other));
        return Err(ProblemKind::UnknownKey { key, suggestion });
    }
    let Some(name) = table.get("name").and_then(toml::Value::as_str) else {
        let expected = "tables with the `name` of a measure".to_owned();
        return Err(bad(expected, table.get("name")));
    };
    let kind = RewardKind::named(name).ok_or_else(|| no_measure(key, name))?;
    let weight = table.get("weight").and_then(|weight| {
        weight.as_float().or_else(|| weight.as_integer().map(|whole| whole as f64))
    });
    match weight.filter(|weight| (0.0..=1.0).contains(weight)) {
        Some(weight) => Ok(Weighted { kind, weight }),
        None => {
            let expected = format!("tables with a `weight` from 0 to 1 (that of `{name}` here)");
            Err(bad(expected, table.get("weight")))
        }
    }
}

fn no_measure(key: &str, name: &str) -> ProblemKind {
    let known: Vec<&str> = rewards::ALL.iter().map(|kind| kind.name()).collect();
    let meant = suggest::typed(name, known.iter().copied());
    let meant = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    let (name, known) = (shown(name), known.join(", "));
    ProblemKind::Inconsistent(format!("`{key}` names {name}, which is none of {known}{meant}"))
}
