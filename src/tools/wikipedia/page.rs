//! Whole articles: by title, and the one that fits a text best.

use rand::seq::SliceRandom as _;
use reqwest::Url;
use sn1_actors::domain::{Context, ContextBody, Origin};
use sn1_actors::text::terms::telling_words;

use super::answer::Page;
use super::api::Freshness;
use super::{Inner, SOURCE, Streams, filter, text};
use crate::tools::http::FetchError;

/// A title is no longer, in bytes; nor is what is searched for.
const LONGEST_TITLE: usize = 255;
/// What no title holds. `|` would ask for several pages.
const NOT_IN_TITLES: [char; 8] = ['|', '#', '<', '>', '[', ']', '{', '}'];
/// Meanings of an ambiguous title that are tried.
const MEANINGS: usize = 3;
/// Words that are searched for; the first of a text.
const WORDS: usize = 12;

impl Inner {
    /// The article of a title, through redirects. Of an ambiguous title one meaning is drawn.
    pub(super) async fn titled(
        &self,
        title: &str,
        streams: &mut Streams,
    ) -> Result<Option<Context>, FetchError> {
        let title = title.trim();
        if !is_title(title) {
            return Ok(None);
        }
        let Some(page) = self.whole(title, streams).await? else { return Ok(None) };
        if !filter::is_disambiguation(&page) {
            return Ok(self.article(page));
        }
        let mut meanings = self.links(&page.title, streams).await?;
        meanings.shuffle(&mut streams.random);
        for meaning in meanings.iter().take(MEANINGS) {
            let page = self.whole(meaning, streams).await?;
            let article = page.filter(filter::is_subject).and_then(|page| self.article(page));
            if article.is_some() {
                return Ok(article);
            }
        }
        Ok(None)
    }

    /// The article that fits a text best, as the wiki's own search ranks them. Wikis want all words
    /// of a query in the page, so the telling words are tried, and then the longest of them alone.
    pub(super) async fn search(
        &self,
        wanted: &str,
        streams: &mut Streams,
    ) -> Result<Option<Context>, FetchError> {
        let words: Vec<String> = telling_words(wanted).take(WORDS).collect();
        let Some(longest) = words.iter().max_by_key(|word| word.chars().count()).cloned() else {
            return Ok(None);
        };
        let mut queries = vec![words.join(" "), longest];
        queries.dedup();
        for query in queries.iter().filter(|query| query.len() <= LONGEST_TITLE) {
            let mut found = self.results(query, streams).await?;
            found.retain(filter::is_subject);
            found.sort_by_key(|page| page.index.unwrap_or(u64::MAX));
            let Some(best) = found.first() else { continue };
            let page = self.whole(&best.title, streams).await?;
            return Ok(page.and_then(|page| self.article(page)));
        }
        Ok(None)
    }

    async fn results(&self, query: &str, streams: &mut Streams) -> Result<Vec<Page>, FetchError> {
        let parameters = [
            ("generator", "search"),
            ("gsrsearch", query),
            ("gsrwhat", "text"),
            ("gsrnamespace", "0"),
            ("gsrlimit", "5"),
            ("redirects", "1"),
            ("prop", "info|pageprops|categories"),
            ("ppprop", "disambiguation"),
            ("clshow", "!hidden"),
            ("cllimit", "max"),
        ];
        self.api.pages(&parameters, Freshness::Fresh, &mut streams.jitter, |_| true).await
    }

    async fn links(&self, title: &str, streams: &mut Streams) -> Result<Vec<String>, FetchError> {
        let parameters =
            [("titles", title), ("prop", "links"), ("plnamespace", "0"), ("pllimit", "max")];
        let pages =
            self.api.pages(&parameters, Freshness::Kept, &mut streams.jitter, |_| false).await?;
        let links = pages.into_iter().flat_map(|page| page.links).map(|link| link.title);
        Ok(links.filter(|link| is_title(link) && link != title).collect())
    }

    /// All that an article is made of; `None` if there is no such article.
    pub(super) async fn whole(
        &self,
        title: &str,
        streams: &mut Streams,
    ) -> Result<Option<Page>, FetchError> {
        let parameters = [
            ("titles", title),
            ("redirects", "1"),
            ("prop", "extracts|info|pageprops|categories"),
            ("explaintext", "1"),
            ("exsectionformat", "wiki"),
            ("inprop", "url"),
            ("ppprop", "disambiguation"),
            ("clshow", "!hidden"),
            ("cllimit", "max"),
        ];
        let pages =
            self.api.pages(&parameters, Freshness::Kept, &mut streams.jitter, |_| true).await?;
        Ok(pages.into_iter().find(Page::is_article))
    }

    /// A page as a context; `None` if it has no text.
    pub(super) fn article(&self, page: Page) -> Option<Context> {
        let sections = text::sections(page.extract.as_deref().unwrap_or_default());
        if sections.is_empty() {
            return None;
        }
        let tags = filter::subjects(&page);
        let subtopic = tags.first().unwrap_or(&page.title).clone();
        let origin = Some(self.origin(&page));
        Some(Context {
            source: SOURCE.to_owned(),
            topic: page.title.clone(),
            title: page.title,
            subtopic,
            tags,
            origin,
            body: ContextBody::Article { sections },
        })
    }

    /// Where a page can be read. A wiki that does not say is asked for the page by its number.
    pub(super) fn origin(&self, page: &Page) -> Origin {
        let told = page.canonicalurl.as_deref().and_then(|url| url.parse::<Url>().ok());
        let url =
            told.filter(|url| matches!(url.scheme(), "http" | "https")).unwrap_or_else(|| {
                let mut url = self.api.address.clone();
                let id = page.pageid.unwrap_or_default().to_string();
                url.set_path(&url.path().replace("api.php", "index.php"));
                url.query_pairs_mut().append_pair("curid", &id);
                url
            });
        Origin { url: url.into(), author: None, license: self.license.clone() }
    }
}

fn is_title(text: &str) -> bool {
    let is_in_titles = |c: char| !NOT_IN_TITLES.contains(&c) && !c.is_control();
    !text.is_empty() && text.len() <= LONGEST_TITLE && text.chars().all(is_in_titles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_page_can_be_called_is_no_title() {
        for title in ["Albedo", "Žižkov (čtvrť)", "C++", "AC/DC", "Who?", "漢字"] {
            assert!(is_title(title), "{title}");
        }
        let long = "a".repeat(256);
        for title in ["", "A|B", "a<b", "C#", "{{x}}", "a\nb", "a\u{1f}b", long.as_str()] {
            assert!(!is_title(title), "{title}");
        }
    }
}
