//! The corpus inside the program: articles, dated facts, source files and questions.
//!
//! It lets every subcommand work without a network and without downloads. Its files lie in the
//! folder next to this one; [`super::records`] knows their formats.

use futures_util::future::{self, BoxFuture};
use include_dir::{Dir, File, include_dir};
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use sn1_actors::domain::{Context, ContextBody, SourceKind};
use sn1_actors::ports::{Tool, ToolError, Want};
use sn1_actors::text::boundary::floor;
use sn1_actors::text::plain_words::plain_words;

use super::records::{self, CorpusError, SOURCE};
use super::search::Index;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/tools/corpus");

/// A question mostly names its subject, so the title counts as much as a whole section.
const TITLE_WEIGHT: f64 = 8.0;
const CATEGORY_WEIGHT: f64 = 3.0;
const HEADING_WEIGHT: f64 = 2.0;
const TEXT_WEIGHT: f64 = 1.0;
/// Titles of so many words are questions.
const QUESTION: usize = 5;
/// No more bytes of a query are looked through for titles.
const LONGEST_QUERY: usize = 4_096;

/// The records that come with the program.
pub struct Corpus {
    articles: Shelf,
    facts: Shelf,
    code: Shelf,
    questions: Shelf,
}

/// The records of one kind and how they are found.
struct Shelf {
    records: Vec<Context>,
    /// The words of each one's title.
    titles: Vec<Vec<String>>,
    index: Index,
}

impl Shelf {
    fn new(records: Vec<Context>) -> Self {
        let index = Index::new(&records.iter().map(indexed).collect::<Vec<_>>());
        let titles = records.iter().map(|record| plain_words(&record.title)).collect();
        Self { records, titles, index }
    }

    fn search(&self, text: &str) -> Option<&Context> {
        let at = self.quoted_in(text).or_else(|| self.index.best(text));
        at.and_then(|at| self.records.get(at))
    }

    /// The record whose title, a whole question, stands in a text word for word: words that are in
    /// every question, and single digits, are no terms.
    fn quoted_in(&self, text: &str) -> Option<usize> {
        let said = plain_words(text.get(..floor(text, LONGEST_QUERY)).unwrap_or(text));
        let stands = |title: &Vec<String>| {
            title.len() >= QUESTION && said.windows(title.len()).any(|at| at == title.as_slice())
        };
        self.titles.iter().position(stands)
    }
}

impl Corpus {
    /// Reads the embedded files, once.
    ///
    /// # Errors
    /// [`CorpusError`] names the first file that breaks its format.
    pub fn embedded() -> Result<Self, CorpusError> {
        Ok(Self {
            articles: Shelf::new(each_in("articles", records::article)?),
            facts: Shelf::new(from_file("facts.toml", records::facts)?),
            code: Shelf::new(each_in("code", records::code)?),
            questions: Shelf::new(from_file("questions.toml", records::questions)?),
        })
    }

    /// All records of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: SourceKind) -> &[Context] {
        self.shelf(kind).map_or(&[], |shelf| &shelf.records)
    }

    fn shelf(&self, kind: SourceKind) -> Option<&Shelf> {
        match kind {
            SourceKind::Article => Some(&self.articles),
            SourceKind::DatedFact => Some(&self.facts),
            SourceKind::Code => Some(&self.code),
            SourceKind::Question => Some(&self.questions),
            SourceKind::Maths => None,
        }
    }

    /// The article of a title, or the question: only they have titles that people know.
    fn titled(&self, title: &str) -> Option<&Context> {
        let mut titled = self.articles.records.iter().chain(&self.questions.records);
        titled.find(|context| context.title.eq_ignore_ascii_case(title))
    }
}

impl Tool for Corpus {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn is_slow(&self) -> bool {
        false
    }

    fn offers(&self, kind: SourceKind) -> bool {
        !self.of_kind(kind).is_empty()
    }

    fn fetch(
        &self,
        want: Want,
        mut random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>> {
        let found = match want {
            Want::Random(kind) => self.of_kind(kind).choose(&mut random),
            Want::Search(kind, text) => self.shelf(kind).and_then(|shelf| shelf.search(&text)),
            Want::Title(title) => self.titled(&title),
        };
        Box::pin(future::ready(found.cloned().ok_or(ToolError::Nothing { tool: SOURCE })))
    }
}

fn indexed(context: &Context) -> Vec<(f64, &str)> {
    let mut texts = vec![(TITLE_WEIGHT, context.title.as_str())];
    texts.extend(context.tags.iter().map(|tag| (CATEGORY_WEIGHT, tag.as_str())));
    match &context.body {
        ContextBody::Article { sections } => {
            for section in sections {
                texts.extend(section.heading.as_deref().map(|heading| (HEADING_WEIGHT, heading)));
                texts.push((TEXT_WEIGHT, section.text.as_str()));
            }
        }
        ContextBody::Question { question, answer } => {
            texts.extend([question, answer].map(|text| (TEXT_WEIGHT, text.as_str())));
        }
        ContextBody::DatedFact { section, text, .. } => {
            // The text of a birth and that of a death are alike.
            let asked = match section.as_str() {
                "Births" => "born birth",
                "Deaths" => "die died death",
                _ => "",
            };
            texts.extend([(CATEGORY_WEIGHT, asked), (TEXT_WEIGHT, text.as_str())]);
        }
        ContextBody::Code { text, .. } => texts.push((TEXT_WEIGHT, text.as_str())),
        ContextBody::Maths { .. } => {}
    }
    texts
}

/// Parses every file of a folder, in the order of their names.
fn each_in(
    folder: &str,
    parse: fn(&str, &str) -> Result<Context, CorpusError>,
) -> Result<Vec<Context>, CorpusError> {
    let dir = FILES.get_dir(folder).ok_or_else(|| CorpusError::new(folder, "it is missing"))?;
    let mut files: Vec<&File<'_>> = dir.files().collect();
    files.sort_by_key(|file| file.path());
    files
        .into_iter()
        .map(|file| {
            let name = file.path().to_string_lossy();
            parse(&name, text_of(&name, file)?)
        })
        .collect()
}

fn from_file(
    name: &str,
    parse: fn(&str, &str) -> Result<Vec<Context>, CorpusError>,
) -> Result<Vec<Context>, CorpusError> {
    let file = FILES.get_file(name).ok_or_else(|| CorpusError::new(name, "it is missing"))?;
    parse(name, text_of(name, file)?)
}

fn text_of<'f>(name: &str, file: &'f File<'_>) -> Result<&'f str, CorpusError> {
    std::str::from_utf8(file.contents()).map_err(|error| CorpusError::new(name, error))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::FutureExt;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    const KINDS: [SourceKind; 4] =
        [SourceKind::Article, SourceKind::DatedFact, SourceKind::Code, SourceKind::Question];

    fn fetch(corpus: &Corpus, want: Want, seed: u64) -> Result<Context, ToolError> {
        corpus.fetch(want, ChaCha8Rng::seed_from_u64(seed)).now_or_never().expect("is ready")
    }

    #[test]
    fn holds_what_it_is_meant_to_hold() {
        let corpus = Corpus::embedded().unwrap();
        assert_eq!(KINDS.map(|kind| corpus.of_kind(kind).len()), [40, 120, 40, 20]);
        let languages: BTreeSet<&str> =
            corpus.code.records.iter().map(|c| c.topic.as_str()).collect();
        assert_eq!(languages.len(), 9, "{languages:?}");
        for context in KINDS.iter().flat_map(|&kind| corpus.of_kind(kind)) {
            assert_eq!(context.source, "builtin");
            let labels = [&context.title, &context.topic, &context.subtopic];
            assert!(labels.iter().all(|label| !label.is_empty()), "{context:?}");
        }
    }

    #[test]
    fn every_article_is_long_enough_to_be_summed_up_and_linked_to_others() {
        let corpus = Corpus::embedded().unwrap();
        let articles = corpus.of_kind(SourceKind::Article);
        let titles: BTreeSet<&str> = articles.iter().map(|a| a.title.as_str()).collect();
        assert_eq!(titles.len(), articles.len(), "titles are unique");
        for article in articles {
            let words = article.text().split_whitespace().count();
            assert!(words >= 250, "{}: {words} words", article.title);
            let ContextBody::Article { sections } = &article.body else {
                panic!("{} is no article", article.title)
            };
            assert!(sections.iter().filter(|s| s.heading.is_some()).count() >= 3);
            assert_eq!(sections.iter().position(|s| s.heading.is_none()), Some(0));
            assert!(!sections.iter().any(|s| s.text.contains("==")), "{}", article.title);
            let linked = article.tags.iter().filter(|tag| titles.contains(tag.as_str())).count();
            assert!(linked >= 1, "{} is linked to no other article", article.title);
        }
    }

    #[test]
    fn every_record_can_be_drawn_and_a_seed_draws_the_same_again() {
        let corpus = Corpus::embedded().unwrap();
        for kind in KINDS {
            assert!(corpus.offers(kind));
            let draw = |seed| fetch(&corpus, Want::Random(kind), seed).unwrap();
            assert_eq!(draw(3), draw(3));
            let drawn: BTreeSet<String> =
                (0..4000).map(|seed| format!("{:?}", draw(seed).body)).collect();
            assert_eq!(drawn.len(), corpus.of_kind(kind).len(), "{kind:?}");
        }
    }

    #[test]
    fn finds_every_record_among_those_of_its_kind_by_its_title_or_by_what_it_says() {
        let corpus = Corpus::embedded().unwrap();
        let find = |kind, text: &str| fetch(&corpus, Want::Search(kind, text.into()), 0);
        for article in corpus.of_kind(SourceKind::Article) {
            let question = format!("Can you tell me about the {}?", article.title.to_lowercase());
            assert_eq!(find(SourceKind::Article, &question).as_ref(), Ok(article));
        }
        for asked in corpus.of_kind(SourceKind::Question) {
            assert_eq!(find(SourceKind::Question, &asked.title).as_ref(), Ok(asked));
        }
        for kind in [SourceKind::Code, SourceKind::DatedFact] {
            for record in corpus.of_kind(kind) {
                let text = record.text();
                let (_, without_the_beginning) = text.split_once(' ').unwrap();
                let asked = match record.subtopic.as_str() {
                    "Births" => format!("When was this one born: {without_the_beginning}"),
                    "Deaths" => format!("When did this one die: {without_the_beginning}"),
                    _ => without_the_beginning.to_owned(),
                };
                assert_eq!(find(kind, &asked).as_ref(), Ok(record));
            }
        }
        let question = "Why do plants need chlorophyll, and what happens to the light?";
        let found = find(SourceKind::Article, question).map(|article| article.title);
        assert_eq!(found, Ok("Photosynthesis".into()));
    }

    #[test]
    fn an_article_and_a_question_are_found_by_their_titles() {
        let corpus = Corpus::embedded().unwrap();
        for kind in [SourceKind::Article, SourceKind::Question] {
            for record in corpus.of_kind(kind) {
                let found = fetch(&corpus, Want::Title(record.title.to_uppercase()), 0);
                assert_eq!(found.as_ref(), Ok(record));
            }
        }
        let code = corpus.of_kind(SourceKind::Code)[0].title.clone();
        let nothing = Err(ToolError::Nothing { tool: "builtin" });
        assert_eq!(fetch(&corpus, Want::Title(code), 0), nothing);
    }

    #[test]
    fn has_nothing_for_problems_and_for_subjects_it_does_not_know() {
        let corpus = Corpus::embedded().unwrap();
        let nothing = Err(ToolError::Nothing { tool: "builtin" });
        assert!(!corpus.offers(SourceKind::Maths));
        assert_eq!(fetch(&corpus, Want::Random(SourceKind::Maths), 0), nothing);
        for kind in SourceKind::ALL {
            for text in ["qwxyz zzyxw", "What is it?"] {
                assert_eq!(fetch(&corpus, Want::Search(kind, text.into()), 0), nothing);
            }
        }
    }
}
