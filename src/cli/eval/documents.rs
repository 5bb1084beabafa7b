//! The library in which a cheat would look a challenge up: the validator's own corpus among
//! documents of the user's.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::Deserialize;
use sn1_actors::domain::{Context, ContextBody, SourceKind};

use crate::cli::lines::Lines;
use crate::exit::{Ended, Exit};
use crate::tools::Corpus;
use crate::tools::search::Index;

/// More are not read: the index of so many takes some gigabytes.
const MAX_DOCUMENTS: usize = 1_000_000;

/// Documents by title, and what is needed to find them.
pub(super) struct Library {
    titles: Vec<String>,
    index: Index,
}

#[derive(Deserialize)]
struct Document {
    title: String,
    text: String,
}

impl Library {
    /// The articles of the embedded corpus, and the documents of a file of JSON lines with `title`
    /// and `text`; those whose title an article has are left out.
    pub(super) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let corpus = Corpus::embedded()?;
        let articles = corpus.of_kind(SourceKind::Article).iter().map(document);
        let mut documents: Vec<Document> = articles.collect();
        if let Some(file) = file {
            let own = documents.len();
            for document in read(file)? {
                let known = documents.iter().take(own);
                if !known.into_iter().any(|known| same(&known.title, &document.title)) {
                    documents.push(document);
                }
            }
        }
        let texts = documents.iter().map(|d| vec![(1.0, d.title.as_str()), (1.0, &*d.text)]);
        let index = Index::new(&texts.collect::<Vec<_>>());
        Ok(Self { titles: documents.into_iter().map(|d| d.title).collect(), index })
    }

    /// How many documents there are.
    pub(super) fn len(&self) -> usize {
        self.titles.len()
    }

    /// Whether there is a document of that title.
    pub(super) fn has(&self, title: &str) -> bool {
        self.titles.iter().any(|known| same(known, title))
    }

    /// Whether a search for `text` gives the document of that title first.
    pub(super) fn finds(&self, title: &str, text: &str) -> bool {
        let best = self.index.best(text).and_then(|best| self.titles.get(best));
        best.is_some_and(|best| same(best, title))
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn document(article: &Context) -> Document {
    let mut text = article.text();
    if let ContextBody::Article { sections } = &article.body {
        for heading in sections.iter().filter_map(|section| section.heading.as_deref()) {
            text.push('\n');
            text.push_str(heading);
        }
    }
    Document { title: article.title.clone(), text }
}

fn read(file: &Path) -> Result<Vec<Document>, Ended> {
    let wrong = |cause: &dyn std::fmt::Display| {
        Ended::new(Exit::File, format!("the documents {}: {cause}", file.display()))
    };
    let mut lines = Lines::of(BufReader::new(File::open(file).map_err(|error| wrong(&error))?));
    let mut documents = Vec::new();
    while let Some((number, line)) = lines.next().map_err(|error| wrong(&error))? {
        if documents.len() == MAX_DOCUMENTS {
            return Err(wrong(&format!("more than {MAX_DOCUMENTS} are too many")));
        }
        let document = serde_json::from_str(&line);
        documents.push(document.map_err(|error| wrong(&format!("line {number}: {error}")))?);
    }
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_found_among_documents_of_the_users() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("documents.jsonl");
        let lines = r#"{"title": "Zeppelin", "text": "An airship named for a count."}
{"title": "nile", "text": "Not the article that the corpus has."}"#;
        std::fs::write(&file, lines).unwrap();
        let own = Library::open(None).unwrap().len();
        let library = Library::open(Some(&file)).unwrap();
        assert_eq!(library.len(), own + 1);
        assert!(library.finds("Zeppelin", "Which count gave the airship its name?"));
        assert!(library.finds("Nile", "Which countries does the Nile flow through?"));
        assert!(!library.finds("Nile", "Which count gave the airship its name?"));
        assert!(!library.finds("Nile", "?"));
        assert!(library.has("zeppelin") && library.has("Nile") && !library.has("Zeppelins"));
    }

    #[test]
    fn a_line_that_is_no_document_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("documents.jsonl");
        std::fs::write(&file, "{\"title\": \"A\", \"text\": \"B\"}\n{\"title\": 7}\n").unwrap();
        let error = Library::open(Some(&file)).err().unwrap().to_string();
        assert!(error.contains("documents.jsonl: line 2"), "{error}");
    }
}
