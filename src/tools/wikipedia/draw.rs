//! Random articles.

use rand::Rng as _;
use sn1_actors::domain::{Context, ContextBody};

use super::answer::Page;
use super::api::Freshness;
use super::{Inner, Streams, filter};
use crate::tools::article_rules::{LEAST_WORDS, words};
use crate::tools::http::FetchError;

/// Batches of random pages for one article, at most.
const BATCHES: usize = 3;
/// Articles that are looked at for one, at most.
const LOOKS: usize = 6;
/// Candidates that are kept for later, at most.
const CANDIDATES: usize = 50;

impl Inner {
    /// A random article that passes the filter.
    pub(super) async fn random_article(
        &self,
        streams: &mut Streams,
    ) -> Result<Option<Context>, FetchError> {
        let (mut batches, mut looks) = (0, 0);
        while looks < LOOKS {
            let Some(title) = self.candidate(streams) else {
                if batches == BATCHES {
                    break;
                }
                batches += 1;
                self.add_candidates(streams).await?;
                continue;
            };
            looks += 1;
            let page = self.whole(&title, streams).await?;
            let article = page.and_then(|page| self.article(page)).filter(is_long_enough);
            if article.is_some() {
                return Ok(article);
            }
            tracing::debug!(title, "a random page is too short or gone");
        }
        let cause = format!(
            "of {batches} batches of random pages, and {looks} pages that were read, none can be used"
        );
        Err(FetchError::Failed { cause })
    }

    fn candidate(&self, streams: &mut Streams) -> Option<String> {
        let mut candidates = self.candidates.lock();
        let count = candidates.len();
        (count > 0).then(|| candidates.swap_remove(streams.random.random_range(..count)))
    }

    async fn add_candidates(&self, streams: &mut Streams) -> Result<(), FetchError> {
        let parameters = [
            ("generator", "random"),
            ("grnnamespace", "0"),
            ("grnlimit", "10"),
            ("grnfilterredir", "nonredirects"),
            ("prop", "info|pageprops|categories|linkshere|extracts"),
            ("ppprop", "disambiguation"),
            ("clshow", "!hidden"),
            ("cllimit", "max"),
            ("lhnamespace", "0"),
            ("lhlimit", "max"),
            ("exintro", "1"),
            ("explaintext", "1"),
            ("exlimit", "max"),
        ];
        let mut batch = self
            .api
            .pages(&parameters, Freshness::Fresh, &mut streams.jitter, is_undecided)
            .await?;
        batch.retain(|page| filter::may_ground(page) && filter::has_backlinks(page));
        // The order in which a wiki tells of the pages is no choice of the stream's.
        batch.sort_by(|one, other| one.title.cmp(&other.title));
        let mut candidates = self.candidates.lock();
        for Page { title, .. } in batch {
            if candidates.len() < CANDIDATES && !candidates.contains(&title) {
                candidates.push(title);
            }
        }
        Ok(())
    }
}

/// Whether more has to be told of some page: all of a batch share one bound on backlinks, and
/// leads may come in parts as well.
fn is_undecided(batch: &[Page]) -> bool {
    batch.iter().any(|page| {
        page.extract.is_none() || (filter::may_ground(page) && !filter::has_backlinks(page))
    })
}

fn is_long_enough(article: &Context) -> bool {
    match &article.body {
        ContextBody::Article { sections } => words(sections) >= LEAST_WORDS,
        _ => false,
    }
}
