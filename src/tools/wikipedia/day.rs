//! Dated facts, from the pages about the days of the year.

use std::collections::BTreeMap;

use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use sn1_actors::domain::Context;

use super::{Inner, SOURCE, Streams, text};
use crate::tools::day_lines::{Day, facts};
use crate::tools::http::FetchError;

/// Days that are looked at for one fact, at most.
const DAYS: usize = 3;

impl Inner {
    /// A random fact of a random day.
    pub(super) async fn random_fact(
        &self,
        streams: &mut Streams,
    ) -> Result<Option<Context>, FetchError> {
        for _ in 0..DAYS {
            let Some(day) = Day::all().choose(&mut streams.random) else { continue };
            let Some(page) = self.whole(&day.title(), streams).await? else { continue };
            // A redirect may lead to another day.
            let Some(day) = Day::all().find(|day| day.title() == page.title) else { continue };
            let sections = text::all_sections(page.extract.as_deref().unwrap_or_default());
            let origin = self.origin(&page);
            // By section first: there are far more births than events.
            let mut by_section: BTreeMap<String, Vec<Context>> = BTreeMap::new();
            for fact in facts(day, &sections) {
                let fact = fact.into_context(SOURCE, Some(origin.clone()));
                by_section.entry(fact.subtopic.clone()).or_default().push(fact);
            }
            let section = by_section.values().choose(&mut streams.random);
            if let Some(fact) = section.and_then(|facts| facts.choose(&mut streams.random)) {
                return Ok(Some(fact.clone()));
            }
        }
        Err(FetchError::Failed { cause: format!("no dated fact on the pages of {DAYS} days") })
    }
}
