//! An encyclopedia in a file: the ZIM files of Kiwix, read from the disk.
//!
//! Articles come at random, by title and by the words of their titles; dated facts come from the
//! pages of days where the file has them. The full-text index inside such files needs Xapian and is
//! not used. An operator chooses the file, so a file that changes while it is mapped, or a cluster
//! that unpacks to more than fits into memory, is not guarded against; a broken one is.

mod archive;
mod pages;
mod title_search;
mod titles;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use sn1_actors::domain::{Context, SourceKind};
use sn1_actors::ports::{Tool, ToolError, Want};

use super::article_rules::{self, LEAST_WORDS};
use super::day_lines::{self, Day};
use archive::Archive;

const NAME: &str = "zim";
/// So many entries are drawn for one article: most are cheap to pass over.
const DRAWS: usize = 400;
/// So many pages are unpacked for one article.
const PAGES: usize = 24;
/// So many of the pages that a search finds are looked into.
const FINDS: usize = 6;

/// A ZIM file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ZIM file `{}` cannot be used: {cause}; {remedy}", path.display())]
pub struct ZimError {
    /// Where it was looked for.
    pub path: PathBuf,
    /// What is wrong with it.
    pub cause: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// An open ZIM file.
pub struct ZimFile {
    library: Arc<Library>,
}

struct Library {
    archive: Archive,
    /// The days that it has a page of.
    days: Vec<Day>,
}

impl ZimFile {
    /// Opens a file and finds out what is in it. It blocks: some thousand short reads.
    ///
    /// # Errors
    /// [`ZimError`] for a file that is missing, cut off, broken, or has no articles.
    pub fn open(path: &Path) -> Result<Self, ZimError> {
        let archive = Archive::open(path)?;
        let days = archive.days().unwrap_or_default();
        Ok(Self { library: Arc::new(Library { archive, days }) })
    }
}

impl Tool for ZimFile {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn offers(&self, kind: SourceKind) -> bool {
        match kind {
            SourceKind::Article => true,
            SourceKind::DatedFact => !self.library.days.is_empty(),
            SourceKind::Maths | SourceKind::Code | SourceKind::Question => false,
        }
    }

    fn fetch(
        &self,
        want: Want,
        mut random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>> {
        let library = Arc::clone(&self.library);
        async move {
            // A panic of the reader, on a file that nobody foresaw, ends here too.
            let name = library.archive.file_name();
            let task = tokio::task::spawn_blocking(move || library.fetch(want, &mut random));
            let fetched = task.await.unwrap_or_else(|error| Err(failed(error)));
            fetched.map_err(|error| of_file(&name, error))
        }
        .boxed()
    }
}

impl Library {
    fn fetch(&self, want: Want, random: &mut ChaCha8Rng) -> Result<Context, ToolError> {
        match want {
            Want::Random(SourceKind::Article) => self.random_article(random),
            Want::Random(SourceKind::DatedFact) => self.random_fact(random),
            Want::Random(SourceKind::Maths | SourceKind::Code | SourceKind::Question) => {
                Err(nothing())
            }
            Want::Title(title) => {
                let entry = self
                    .archive
                    .titles()
                    .and_then(|titles| titles.find(&title))
                    .map_err(failed)?
                    .ok_or_else(nothing)?;
                let article = self.archive.article(entry).map_err(failed)?.ok_or_else(nothing)?;
                if article.is_ambiguous() { Err(nothing()) } else { Ok(article.into_context()) }
            }
            Want::Search(SourceKind::Article, text) => self.search(&text),
            Want::Search(..) => Err(nothing()),
        }
    }

    fn random_article(&self, random: &mut ChaCha8Rng) -> Result<Context, ToolError> {
        let titles = self.archive.titles().map_err(failed)?;
        let mut broken = None;
        let mut pages = 0;
        for _ in 0..DRAWS {
            let position = random.random_range(0..titles.len());
            let entry = match titles.entry_at(position) {
                Ok(entry) if Archive::is_page(&entry) => entry,
                Ok(_) => continue,
                Err(error) => {
                    broken = Some(error);
                    continue;
                }
            };
            if article_rules::is_no_subject(&titles::title(&entry)) {
                continue;
            }
            pages += 1;
            match self.archive.article(entry) {
                Ok(Some(article)) if article.words() >= LEAST_WORDS && !article.is_ambiguous() => {
                    return Ok(article.into_context());
                }
                Ok(_) => {}
                Err(error) => broken = Some(error),
            }
            if pages == PAGES {
                break;
            }
        }
        Err(broken.map_or_else(nothing, failed))
    }

    fn random_fact(&self, random: &mut ChaCha8Rng) -> Result<Context, ToolError> {
        let titles = self.archive.titles().map_err(failed)?;
        let mut broken = None;
        for _ in 0..PAGES {
            let Some(day) = self.days.choose(random) else { break };
            let page = titles.find(&day.title()).and_then(|entry| match entry {
                Some(entry) => self.archive.page(entry),
                None => Ok(None),
            });
            match page {
                Ok(Some(page)) => {
                    let facts = day_lines::facts(*day, &page.sections);
                    if let Some(fact) = facts.choose(random) {
                        return Ok(fact.clone().into_context(NAME, Some(page.origin)));
                    }
                }
                Ok(None) => {}
                Err(error) => broken = Some(error),
            }
        }
        Err(broken.map_or_else(nothing, failed))
    }

    fn search(&self, text: &str) -> Result<Context, ToolError> {
        let titles = self.archive.titles().map_err(failed)?;
        let mut broken = None;
        for entry in title_search::best(&titles, text, FINDS).map_err(failed)? {
            match self.archive.article(entry) {
                Ok(Some(article)) if !article.is_ambiguous() => return Ok(article.into_context()),
                Ok(_) => {}
                Err(error) => broken = Some(error),
            }
        }
        Err(broken.map_or_else(nothing, failed))
    }
}

fn nothing() -> ToolError {
    ToolError::Nothing { tool: NAME }
}

fn failed(cause: impl ToString) -> ToolError {
    ToolError::Failed { tool: NAME, cause: cause.to_string() }
}

/// Several files may be open, all of the same name as tools: a failure says which one it was.
fn of_file(name: &str, error: ToolError) -> ToolError {
    match error {
        ToolError::Failed { tool, cause } => {
            ToolError::Failed { tool, cause: format!("{name}: {cause}") }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
