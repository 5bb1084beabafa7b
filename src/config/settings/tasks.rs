//! The section `tasks`: how the answers to each kind of task are scored.
//!
//! `[[tasks.qa.rewards]]` and `[[tasks.qa.penalties]]`, each with `name` and `weight`, and in
//! `[tasks.qa]` what counts of several `references` and whether `copies` are looked for; the kinds
//! are those of the table of tasks and the names those of the table of measures, so that a new kind
//! or measure needs no word here. A list replaces the one of an earlier layer whole. What the section
//! has is of each kind of task, so it has no form as a flag or a variable and stands in files only.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sn1_actors::reward_scorer::rewards::{self, Measures, OfReferences, RewardKind, Weighted};
use sn1_actors::task_maker::tasks::{self, TaskKind};

use crate::config::origin::{Origin, Place};
use crate::config::problem::{ProblemKind, shortened, shown};
use crate::config::suggest;
use crate::config::toml_file::Leaf;

const SECTION: &str = "tasks";
/// How far the weights of rewards may be from 1 together.
const SUM_TOLERANCE: f64 = 1e-6;

/// What the section says of a kind of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Rewards,
    Penalties,
    References,
    Copies,
}

impl Part {
    const ALL: [Self; 4] = [Self::Rewards, Self::Penalties, Self::References, Self::Copies];

    fn name(self) -> &'static str {
        match self {
            Self::Rewards => "rewards",
            Self::Penalties => "penalties",
            Self::References => "references",
            Self::Copies => "copies",
        }
    }

    /// What it is of these measures.
    fn of(self, measures: Measures) -> Given {
        let Measures { rewards, penalties, references, copies } = measures;
        match self {
            Self::Rewards => Given::Rewards(rewards),
            Self::Penalties => Given::Penalties(penalties),
            Self::References => Given::References(references),
            Self::Copies => Given::Copies(copies),
        }
    }

    /// How it is written into a file.
    fn written(self, name: &str) -> String {
        let (section, key) = name.rsplit_once('.').unwrap_or_default();
        match self {
            Self::Rewards | Self::Penalties => format!("[[{name}]] with `name` and `weight`"),
            Self::References => format!("`{key} = \"best\"` or `\"mean\"` below [{section}]"),
            Self::Copies => format!("`{key} = true` or `false` below [{section}]"),
        }
    }
}

/// A part with what it says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Given {
    Rewards(Vec<Weighted>),
    Penalties(Vec<Weighted>),
    References(OfReferences),
    Copies(bool),
}

impl Given {
    /// Takes its place in measures.
    fn put_into(self, measures: &mut Measures) {
        match self {
            Self::Rewards(rewards) => measures.rewards = rewards,
            Self::Penalties(penalties) => measures.penalties = penalties,
            Self::References(references) => measures.references = references,
            Self::Copies(copies) => measures.copies = copies,
        }
    }
}

/// What files say of kinds of task; where they say nothing it is as the kind's file in
/// `task_maker/tasks` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskMeasures(BTreeMap<(TaskKind, Part), (Given, Place)>);

impl TaskMeasures {
    /// How the answers to a kind of task are measured.
    #[must_use]
    pub fn measures(&self, kind: TaskKind) -> Arc<Measures> {
        let mut measures = kind.default_measures();
        for part in Part::ALL {
            self.part(kind, part).0.put_into(&mut measures);
        }
        Arc::new(measures)
    }

    fn part(&self, kind: TaskKind, part: Part) -> (Given, Place) {
        let given = self.0.get(&(kind, part)).cloned();
        given.unwrap_or_else(|| (part.of(kind.default_measures()), Place::Default))
    }

    /// The dotted names of all that the section can have.
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
        let written = match find(name) {
            Some((kind, part)) => part.written(&full_name(kind, part)),
            None => Part::Rewards.written(&format!("{SECTION}.qa.rewards")),
        };
        ProblemKind::Inconsistent(format!(
            "the section `{SECTION}` has no flags and no variables; write {written} into a file, \
             and give that with --config"
        ))
    }

    /// Takes what a file says in the place of what earlier layers say; returns what is wrong with
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
            Ok(given) => {
                self.0.insert((kind, part), (given, place(leaf.line)));
                Vec::new()
            }
            Err(problems) => problems,
        }
    }

    /// What is in effect of all that the section can have, and where it came from.
    pub(in crate::config) fn origins(&self) -> impl Iterator<Item = Origin> {
        Self::all().map(|(kind, part)| {
            let (given, place) = self.part(kind, part);
            // As for keys, a file is told without the line.
            let place = match place {
                Place::File { path, .. } => Place::File { path, line: None },
                other => other,
            };
            let value = serde_json::to_value(given).unwrap_or_default();
            Origin { name: full_name(kind, part), value, place }
        })
    }
}

fn full_name(kind: TaskKind, part: Part) -> String {
    format!("{SECTION}.{}.{}", kind.name(), part.name())
}

fn find(name: &str) -> Option<(TaskKind, Part)> {
    TaskMeasures::all().find(|(kind, part)| full_name(*kind, *part) == name)
}

fn unknown(leaf: &Leaf) -> ProblemKind {
    let key = shortened(&leaf.key);
    let rest = leaf.key.strip_prefix(SECTION).unwrap_or_default();
    let kind = rest.strip_prefix('.').and_then(TaskKind::named);
    if rest.is_empty() || kind.is_some() {
        let (expected, found) = (format!("a section, [{key}]"), shortened(&leaf.value.to_string()));
        return ProblemKind::BadValue { key, expected, found };
    }
    let names: Vec<String> = TaskMeasures::names().collect();
    let suggestion = suggest::typed(&leaf.key, names.iter().map(String::as_str));
    ProblemKind::UnknownKey { key, suggestion: suggestion.map(ToOwned::to_owned) }
}

/// What a part says, or all that is wrong with it.
fn read(leaf: &Leaf, part: Part) -> Result<Given, Vec<(Option<usize>, ProblemKind)>> {
    let value = &leaf.value;
    let (given, expected) = match part {
        Part::Rewards => return list(leaf, part).map(Given::Rewards),
        Part::Penalties => return list(leaf, part).map(Given::Penalties),
        Part::References => {
            let name = value.as_str();
            let way = OfReferences::ALL.into_iter().find(|way| name == Some(way.name()));
            let names = OfReferences::ALL.map(OfReferences::name).join(", ");
            (way.map(Given::References), format!("one of {names}"))
        }
        Part::Copies => (value.as_bool().map(Given::Copies), "true or false".to_owned()),
    };
    given.ok_or_else(|| vec![(leaf.line, bad_value(leaf, expected))])
}

fn bad_value(leaf: &Leaf, expected: String) -> ProblemKind {
    let found = shortened(&leaf.value.to_string());
    ProblemKind::BadValue { key: leaf.key.clone(), expected, found }
}

/// The items of a list, or all that is wrong with it.
fn list(leaf: &Leaf, part: Part) -> Result<Vec<Weighted>, Vec<(Option<usize>, ProblemKind)>> {
    let Some(items) = leaf.value.as_array() else {
        let expected = "a list of tables with `name` and `weight`".to_owned();
        return Err(vec![(leaf.line, bad_value(leaf, expected))]);
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
