//! One TOML file as a flat list of keys, with the line of each where it can be told.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::origin::Place;
use super::problem::{Problem, ProblemKind};

/// A configuration is some kilobytes; what is larger was given by mistake.
const MAX_BYTES: u64 = 1 << 20;

/// One value of a file.
pub(super) struct Leaf {
    /// The dotted name.
    pub(super) key: String,
    /// The value, never a table.
    pub(super) value: toml::Value,
    /// The line, from 1.
    pub(super) line: Option<usize>,
    /// The lines of the headers `[[key]]`, where the value is a list of tables written so.
    pub(super) headers: Vec<usize>,
}

impl Leaf {
    /// The line of an item of a list, or else of the list.
    pub(super) fn line_of(&self, item: usize) -> Option<usize> {
        self.headers.get(item).copied().or(self.line)
    }
}

/// The text of a file; `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<String>, Problem> {
    let unreadable = |cause: String| Problem {
        place: Place::File { path: path.to_owned(), line: None },
        kind: ProblemKind::Unreadable(cause),
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let mut text = String::new();
    match file.take(MAX_BYTES + 1).read_to_string(&mut text) {
        Err(error) => Err(unreadable(error.to_string())),
        Ok(length) if length as u64 > MAX_BYTES => {
            Err(unreadable(format!("it is larger than {MAX_BYTES} bytes")))
        }
        Ok(_) => Ok(Some(text)),
    }
}

/// The values of a TOML text.
///
/// # Errors
/// What is wrong with the text, and the line.
pub(super) fn leaves(text: &str) -> Result<Vec<Leaf>, (String, Option<usize>)> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let line = error.span().and_then(|span| text.get(..span.start));
        let line = line.map(|before| before.matches('\n').count() + 1);
        (error.message().replace('\n', ", "), line)
    })?;
    let mut leaves = Vec::new();
    flatten("", table, &mut leaves);
    let lines = assignments(text);
    for leaf in &mut leaves {
        let at = lines.iter().filter(|(key, _)| *key == leaf.key).map(|(_, line)| *line);
        let at: Vec<usize> = at.collect();
        // A candidate too many means that one of them sits in a multi-line text: better none than a
        // lie.
        match (at.as_slice(), leaf.value.as_array()) {
            ([line], _) => leaf.line = Some(*line),
            ([first, ..], Some(items)) if items.len() == at.len() => {
                leaf.line = Some(*first);
                leaf.headers = at;
            }
            _ => {}
        }
    }
    Ok(leaves)
}

fn flatten(prefix: &str, table: toml::Table, leaves: &mut Vec<Leaf>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(table) => flatten(&key, table, leaves),
            value => leaves.push(Leaf { key, value, line: None, headers: Vec::new() }),
        }
    }
}

/// The lines that look like `key = …`, with the section they stand in, and the headers `[[key]]`.
/// The `toml` crate gives the places of values only to types that it knows, not to a table of any
/// shape.
fn assignments(text: &str) -> Vec<(String, usize)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if let Some(header) = line.strip_prefix('[') {
            let name = header.trim_start_matches('[').split(']').next().unwrap_or_default();
            section = name.split('.').map(str::trim).collect::<Vec<_>>().join(".");
            if header.starts_with('[') {
                found.push((section.clone(), number));
            }
        } else if let Some((name, _)) = line.split_once('=') {
            let name = name.split('.').map(str::trim).collect::<Vec<_>>().join(".");
            let key = if section.is_empty() { name } else { format!("{section}.{name}") };
            found.push((key, number));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::leaves;

    #[test]
    fn flattens_sections_and_dotted_keys_with_their_lines() {
        let text =
            "netuid = 1\n[neuron]\n# note\n timeout = 3\nlist = [\n 'a = b',\n]\n[a.b]\nc.d = 1\n";
        let mut found: Vec<_> =
            leaves(text).unwrap().into_iter().map(|leaf| (leaf.key, leaf.line)).collect();
        found.sort();
        let expected = [
            ("a.b.c.d", Some(9)),
            ("netuid", Some(1)),
            ("neuron.list", Some(5)),
            ("neuron.timeout", Some(4)),
        ];
        assert_eq!(found, expected.map(|(key, line)| (key.to_owned(), line)));
    }

    #[test]
    fn gives_the_line_of_each_table_of_a_list() {
        let text = "[[a.b]]\nc = 1\n\n[[ a.b ]]\nc = 2\n[d]\ne = [{ c = 1 },\n{ c = 2 }]\n";
        let found = leaves(text).unwrap();
        let lines = |key: &str| {
            let leaf = found.iter().find(|leaf| leaf.key == key).unwrap();
            [leaf.line, leaf.line_of(0), leaf.line_of(1)]
        };
        assert_eq!(lines("a.b"), [Some(1), Some(1), Some(4)]);
        assert_eq!(lines("d.e"), [Some(7); 3]);
    }

    #[test]
    fn gives_no_line_where_two_could_be_meant() {
        let text = "a = '''\nb = 1\n'''\nb = 2\n";
        let found = leaves(text).unwrap();
        assert_eq!(found.iter().find(|leaf| leaf.key == "b").unwrap().line, None);
    }

    #[test]
    fn says_the_line_of_a_mistake() {
        let (message, line) = leaves("a = 1\nb = = 2\n").err().unwrap();
        assert_eq!(line, Some(2));
        assert!(!message.contains('\n'), "{message}");
    }
}
