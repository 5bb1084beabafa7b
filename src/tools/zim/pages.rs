//! From an entry to a context.

use sn1_actors::domain::{Context, ContextBody, Origin, Section};
use zim::DirectoryEntry;

use super::archive::{Archive, ReadError};
use super::{NAME, article_rules, titles};
use crate::tools::day_lines::Day;
use crate::tools::html;

/// So many headings are an article's tags.
const TAGS: usize = 20;

/// A page as it is written, with all its headings.
pub(super) struct Page {
    title: String,
    pub(super) sections: Vec<Section>,
    pub(super) origin: Origin,
}

/// A page's prose.
pub(super) struct Article {
    title: String,
    sections: Vec<Section>,
    origin: Origin,
}

impl Archive {
    /// The days that the file has a page of.
    pub(super) fn days(&self) -> Result<Vec<Day>, ReadError> {
        let titles = self.titles()?;
        let has_page = |day: &Day| matches!(titles.find(&day.title()), Ok(Some(_)));
        Ok(Day::all().filter(has_page).collect())
    }

    /// The page that an entry is or leads to; none where that is no page.
    pub(super) fn page(&self, entry: DirectoryEntry) -> Result<Option<Page>, ReadError> {
        let entry = self.resolved(entry)?;
        if !Self::is_page(&entry) {
            return Ok(None);
        }
        let html::Page { sections, canonical } = html::page(&self.html(&entry)?);
        let origin = Origin {
            url: canonical.unwrap_or_else(|| format!("zim:{}/{}", self.file_name(), entry.url)),
            author: None,
            license: self.licence.clone(),
        };
        Ok(Some(Page { title: titles::title(&entry), sections, origin }))
    }

    /// The article that an entry is or leads to; none where that has no prose.
    pub(super) fn article(&self, entry: DirectoryEntry) -> Result<Option<Article>, ReadError> {
        let Some(Page { title, sections, origin }) = self.page(entry)? else { return Ok(None) };
        let sections = article_rules::prose(sections);
        let article = Article { title, sections, origin };
        Ok((article.words() > 0).then_some(article))
    }
}

impl Article {
    pub(super) fn words(&self) -> usize {
        article_rules::words(&self.sections)
    }

    /// Whether it tells what its title may mean, or is a list.
    pub(super) fn is_ambiguous(&self) -> bool {
        let lead = self.sections.first().map(|lead| lead.text.as_str()).unwrap_or_default();
        article_rules::is_no_subject(&self.title) || article_rules::is_ambiguous(lead)
    }

    /// Pages in such files carry no categories: their headings tell what they deal with.
    pub(super) fn into_context(self) -> Context {
        let Self { title, sections, origin } = self;
        let headings = sections.iter().filter_map(|section| section.heading.clone());
        let tags: Vec<String> = headings.take(TAGS).collect();
        Context {
            source: NAME.to_owned(),
            topic: title.clone(),
            subtopic: tags.first().unwrap_or(&title).clone(),
            title,
            tags,
            origin: Some(origin),
            body: ContextBody::Article { sections },
        }
    }
}
