//! `sn1 generate --embed`: texts in, unit vectors out, one JSON line each.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::json;
use sn1_actors::model_worker::Embed;
use sn1_actors::runtime::Port;

use super::PATIENCE;
use crate::cli::lines::{LineError, Lines};
use crate::cli::output;
use crate::exit::{Ended, Exit};

/// Texts that are embedded together.
const BATCH: usize = 32;

/// One line of the input.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Bare(String),
    Object { text: String },
}

/// Why a line has no vector.
#[derive(Debug, thiserror::Error)]
enum InputError {
    #[error("line {line} must be a JSON string or an object with a `text`")]
    NotAText { line: usize },
    #[error(transparent)]
    Line(#[from] LineError),
}

/// Embeds the lines of `input` in order. What comes before a wrong line is embedded still.
///
/// Reading blocks the thread, and with it the actors; nothing is asked of them meanwhile.
pub(super) async fn run(port: &Port<Embed>, input: impl BufRead) -> anyhow::Result<Exit> {
    let mut lines = Lines::of(input);
    loop {
        let (texts, wrong) = batch(&mut lines);
        if texts.is_empty() && wrong.is_none() {
            return Ok(Exit::Done);
        }
        if !texts.is_empty() {
            let request = Embed { texts: texts.clone() };
            let vectors = port.ask_again(request, port.within(PATIENCE)).await??;
            for (text, embedding) in texts.iter().zip(vectors) {
                output::line(&json!({ "text": text, "embedding": embedding }).to_string())?;
            }
        }
        if let Some(wrong) = wrong {
            return Err(Ended::new(Exit::Usage, wrong).into());
        }
    }
}

/// The next texts, and why there are no more if that is not the end.
fn batch(lines: &mut Lines<impl BufRead>) -> (Vec<String>, Option<InputError>) {
    let mut texts = Vec::new();
    while texts.len() < BATCH {
        match next(lines) {
            Ok(Some(text)) => texts.push(text),
            Ok(None) => return (texts, None),
            Err(wrong) => return (texts, Some(wrong)),
        }
    }
    (texts, None)
}

fn next(lines: &mut Lines<impl BufRead>) -> Result<Option<String>, InputError> {
    let Some((line, text)) = lines.next()? else { return Ok(None) };
    match serde_json::from_str(&text) {
        Ok(Line::Bare(text) | Line::Object { text }) => Ok(Some(text)),
        Err(_) => Err(InputError::NotAText { line }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_strings_and_objects_up_to_the_first_wrong_line() {
        let input = "\"one\"\n\n{\"text\": \"two\", \"id\": 7}\n[3]\n\"four\"\n";
        let (texts, wrong) = batch(&mut Lines::of(input.as_bytes()));
        assert_eq!(texts, ["one", "two"]);
        let wrong = wrong.unwrap().to_string();
        assert!(wrong.starts_with("line 4 must be a JSON string"), "{wrong}");
    }

    #[test]
    fn takes_so_many_at_a_time() {
        let input = "\"x\"\n".repeat(BATCH + 1);
        let mut lines = Lines::of(input.as_bytes());
        assert_eq!(batch(&mut lines).0.len(), BATCH);
        assert_eq!(batch(&mut lines).0.len(), 1);
        assert!(batch(&mut lines).0.is_empty());
    }
}
