//! Prompts to compare precisions on: drawn from the embedded corpus, always the same ones, or from
//! a file.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use futures_util::FutureExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sn1_actors::domain::{Context, ContextBody, SourceKind};
use sn1_actors::ports::{Tool, Want};

use crate::cli::lines::Lines;
use crate::exit::{Ended, Exit};
use crate::tools::Corpus;

/// More are not taken: a comparison of so many runs for hours.
pub(super) const MAX_PROMPTS: usize = 100_000;
/// A prompt has at most so many words of the corpus, which makes some 48 tokens with the template.
const WORDS: usize = 14;
/// Draws for one new prompt; the corpus has some hundreds.
const DRAWS: usize = 500;

/// Prompts from the embedded corpus, each once; fewer where it holds no more.
pub(super) fn built_in(count: usize) -> anyhow::Result<Vec<String>> {
    let corpus = Corpus::embedded()?;
    let kinds = [SourceKind::Article, SourceKind::DatedFact, SourceKind::Question];
    let mut known = BTreeSet::new();
    let mut prompts = Vec::new();
    let mut seed = 0;
    for (kind, _) in kinds.iter().cycle().zip(0..count.min(MAX_PROMPTS)) {
        for _ in 0..DRAWS {
            seed += 1;
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let found = corpus.fetch(Want::Random(*kind), random.clone()).now_or_never();
            let Some(Ok(context)) = found else { continue };
            let Some(prompt) = ask(&context, &mut random) else { continue };
            if known.insert(prompt.clone()) {
                prompts.push(prompt);
                break;
            }
        }
    }
    Ok(prompts)
}

/// Something a person might ask about it.
fn ask(context: &Context, random: &mut ChaCha8Rng) -> Option<String> {
    match &context.body {
        ContextBody::Article { sections } => {
            let text = sections.choose(random)?.text.as_str();
            let sentences: Vec<&str> = text.split_inclusive(". ").collect();
            Some(format!("Is this right? {}", clipped(sentences.choose(random)?)))
        }
        ContextBody::DatedFact { text, .. } => Some(format!("When was it? {}", clipped(text))),
        ContextBody::Question { question, answer } => {
            // There are few questions: half of the time the answer's words make another prompt.
            let text = [question, answer].choose(random)?.as_str();
            let words: Vec<&str> = text.split_whitespace().collect();
            let starts: Vec<usize> = (0..words.len()).step_by(WORDS).collect();
            Some(clipped(&words[*starts.choose(random)?..].join(" ")))
        }
        ContextBody::Maths { .. } | ContextBody::Code { .. } => None,
    }
}

fn clipped(text: &str) -> String {
    text.split_whitespace().take(WORDS).collect::<Vec<_>>().join(" ")
}

/// The prompts of a file, one a line.
pub(super) fn in_file(path: &Path, count: usize) -> anyhow::Result<Vec<String>> {
    let wrong = |cause: &dyn std::fmt::Display| {
        Ended::new(Exit::File, format!("the prompts {}: {cause}", path.display()))
    };
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let mut lines = Lines::of(BufReader::new(file));
    let mut prompts = Vec::new();
    while prompts.len() < count.min(MAX_PROMPTS) {
        match lines.next().map_err(|error| wrong(&error))? {
            Some((_, line)) => prompts.push(line.trim().to_owned()),
            None => break,
        }
    }
    if prompts.is_empty() {
        return Err(wrong(&"there are none").into());
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_the_same_two_hundred_each_time_and_none_twice() {
        let prompts = built_in(200).unwrap();
        assert_eq!(prompts, built_in(200).unwrap());
        assert_eq!(prompts[..50], built_in(50).unwrap());
        assert_eq!(prompts.iter().collect::<BTreeSet<_>>().len(), 200);
        assert!(prompts.iter().all(|prompt| prompt.split(' ').count() <= WORDS + 3));
    }

    #[test]
    fn takes_one_prompt_a_line_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prompts.txt");
        std::fs::write(&path, "Why?\n\n How? \nWho?").unwrap();
        assert_eq!(in_file(&path, 9).unwrap(), ["Why?", "How?", "Who?"]);
        assert_eq!(in_file(&path, 2).unwrap(), ["Why?", "How?"]);
        std::fs::write(&path, "\n").unwrap();
        let error = in_file(&path, 9).unwrap_err().to_string();
        assert!(error.contains("prompts.txt: there are none"), "{error}");
        assert!(in_file(&folder.path().join("gone"), 9).is_err());
    }
}
