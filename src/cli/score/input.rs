//! The lines of `sn1 score`, read on a thread of their own: whoever types or pipes them may take
//! their time, and the actors must not wait for it.

use std::io::{self, BufRead};

use serde::Deserialize;
use sn1_actors::task_maker::tasks::TaskKind;
use sn1_actors::text::shown::shown;
use tokio::sync::mpsc;

use crate::cli::lines::{LineError, Lines};

/// An answer to be scored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// Which line it is of, from 1.
    pub(super) line: usize,
    /// Whose measures count.
    pub(super) task: TaskKind,
    /// What good answers say; at least one.
    pub(super) references: Vec<String>,
    /// What was asked.
    pub(super) challenge: Option<String>,
    /// The answer.
    pub(super) completion: String,
}

/// Why a line is not scored.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    /// It is none of ours.
    #[error("line {line}: {cause}; see `sn1 score --help`")]
    Wrong {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Line(#[from] LineError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    task: TaskKind,
    reference: Reference,
    challenge: Option<String>,
    completion: String,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`reference` must be a text or a list of texts")]
enum Reference {
    One(String),
    Several(Vec<String>),
}

/// The lines of standard input, each as soon as it is there and up to the first wrong one; so many
/// are read ahead.
///
/// # Errors
/// If there can be no thread.
pub(super) fn read(ahead: usize) -> io::Result<mpsc::Receiver<Result<Asked, InputError>>> {
    let (found, lines) = mpsc::channel(ahead);
    // It is not joined: it may wait for a line when the program ends.
    std::thread::Builder::new().name("input".into()).spawn(move || {
        let mut lines = Lines::of(io::stdin().lock());
        while let Some(line) = next(&mut lines).transpose() {
            let wrong = line.is_err();
            if found.blocking_send(line).is_err() || wrong {
                break;
            }
        }
    })?;
    Ok(lines)
}

fn next(lines: &mut Lines<impl BufRead>) -> Result<Option<Asked>, InputError> {
    let Some((line, text)) = lines.next()? else { return Ok(None) };
    let wrong = |cause: String| InputError::Wrong { line, cause };
    // serde would take a list of the fields' values too.
    if !text.trim_start().starts_with('{') {
        return Err(wrong("it is no JSON object".to_owned()));
    }
    let read = serde_json::from_str(&text).map_err(|error| wrong(cause(&error)))?;
    let Line { task, reference, challenge, completion } = read;
    let references = match reference {
        Reference::One(text) => vec![text],
        Reference::Several(texts) => texts,
    };
    if references.is_empty() {
        return Err(wrong("the list `reference` is empty".to_owned()));
    }
    Ok(Some(Asked { line, task, references, challenge, completion }))
}

/// What is wrong, without serde's own count of lines: each text has one.
fn cause(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match said.strip_suffix(&place) {
        Some(cause) if error.is_data() => shown(cause),
        Some(cause) => {
            format!("it is no JSON object: {} (column {})", shown(cause), error.column())
        }
        None => shown(&said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Asked>, String> {
        next(&mut Lines::of(text.as_bytes())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_has_one_reference_or_several_and_may_do_without_a_challenge() {
        let one = r#"{"task":"qa","reference":"a","challenge":"b?","completion":"c"}"#;
        let one = read(one).unwrap().unwrap();
        assert_eq!((one.line, one.task.name(), &*one.completion), (1, "qa", "c"));
        assert_eq!((one.references, one.challenge), (vec!["a".to_owned()], Some("b?".to_owned())));
        let several = r#"{"task":"math","reference":["a","b"],"completion":""}"#;
        let several = read(&format!("\n{several}")).unwrap().unwrap();
        assert_eq!((several.line, several.references.len(), several.challenge), (2, 2, None));
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn a_wrong_line_is_named_with_what_is_wrong_with_it() {
        for (line, named) in [
            ("[\"qa\", \"a\", \"b?\", \"c\"]", "it is no JSON object"),
            ("{\"task\":", "it is no JSON object"),
            (r#"{"task":"qa","completion":"c"}"#, "missing field `reference`"),
            (
                r#"{"task":"qa","reference":7,"completion":"c"}"#,
                "must be a text or a list of texts",
            ),
            (r#"{"task":"qa","reference":[],"completion":"c"}"#, "`reference` is empty"),
            (r#"{"task":"poetry","reference":"a","completion":"c"}"#, "no task `poetry`"),
            (
                r#"{"task":"qa","reference":"a","completion":"c","answer":"d"}"#,
                "unknown field `answer`",
            ),
        ] {
            let wrong = read(&format!("\n{line}\n")).unwrap_err();
            assert!(wrong.starts_with("line 2: ") && wrong.contains(named), "{line}: {wrong}");
            assert!(!wrong.contains("at line 1"), "{wrong}");
        }
    }

    #[test]
    fn what_a_stranger_wrote_does_not_reach_the_terminal_as_it_is() {
        let wrong = read("{\"task\":\"qa\",\"\\u001b[2J\\u202e\":1}").unwrap_err();
        assert!(!wrong.contains(['\u{1b}', '\u{202e}']), "{wrong:?}");
    }
}
