//! The answers of the MediaWiki Action API, as far as they are used, and how those that come in
//! several parts are put together.
//!
//! The format is that of `formatversion=2` and `errorformat=plaintext`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    /// All that there is of the pages named so far has been told.
    #[serde(default, rename = "batchcomplete")]
    pub(super) is_complete: bool,
    /// With these parameters the same request brings more.
    #[serde(default, rename = "continue")]
    pub(super) more: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) query: Option<Query>,
    #[serde(default)]
    pub(super) errors: Vec<Message>,
    /// The older form of `errors`.
    #[serde(default)]
    error: Option<Message>,
    #[serde(default)]
    pub(super) warnings: Vec<Message>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    #[serde(default)]
    pub(super) pages: Vec<Page>,
}

/// An error or a warning.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default, alias = "info")]
    pub(super) text: String,
}

/// What is told of a page.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub(super) pageid: Option<u64>,
    #[serde(default)]
    pub(super) ns: Option<i64>,
    #[serde(default)]
    pub(super) title: String,
    /// Its rank among the results of a search.
    #[serde(default)]
    pub(super) index: Option<u64>,
    /// Of its wikitext, in bytes.
    #[serde(default)]
    pub(super) length: u64,
    #[serde(default)]
    pub(super) canonicalurl: Option<String>,
    /// Its text or its lead.
    #[serde(default)]
    pub(super) extract: Option<String>,
    #[serde(default)]
    pub(super) categories: Vec<Title>,
    /// The pages that link to it.
    #[serde(default)]
    pub(super) linkshere: Vec<Title>,
    /// The pages that it links to.
    #[serde(default)]
    pub(super) links: Vec<Title>,
    #[serde(default)]
    pub(super) pageprops: BTreeMap<String, Value>,
}

/// A page that is only named.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Title {
    #[serde(default)]
    pub(super) title: String,
}

impl Answer {
    /// The error, if it is one.
    pub(super) fn error(&self) -> Option<&Message> {
        self.errors.first().or(self.error.as_ref())
    }

    /// Whether it has any part that answers of the API have.
    pub(super) fn is_of_the_api(&self) -> bool {
        self.is_complete || self.query.is_some() || !self.more.is_empty() || self.error().is_some()
    }
}

impl Page {
    /// Whether it is there, and an article: not missing, not of an invalid title, not special.
    pub(super) fn is_article(&self) -> bool {
        self.pageid.is_some() && self.ns == Some(0)
    }

    /// Adds what a later answer told of the same page.
    fn add(&mut self, later: Self) {
        self.extract = self.extract.take().or(later.extract);
        self.canonicalurl = self.canonicalurl.take().or(later.canonicalurl);
        self.index = self.index.or(later.index);
        self.length = self.length.max(later.length);
        self.categories.extend(later.categories);
        self.linkshere.extend(later.linkshere);
        self.links.extend(later.links);
        self.pageprops.extend(later.pageprops);
    }
}

/// Adds the pages of a later answer to those of earlier ones.
pub(super) fn merge(pages: &mut Vec<Page>, later: Vec<Page>) {
    for page in later {
        match pages.iter_mut().find(|known| known.title == page.title) {
            Some(known) => known.add(page),
            None => pages.push(page),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pages(value: Value) -> Vec<Page> {
        serde_json::from_value::<Answer>(value).unwrap().query.unwrap().pages
    }

    #[test]
    fn parts_of_an_answer_are_put_together_by_page() {
        let mut all = pages(json!({
            "continue": {"lhcontinue": "7|9", "continue": "||info"},
            "query": {"pages": [
                {"pageid": 7, "ns": 0, "title": "A", "length": 10, "extract": "text",
                 "linkshere": [{"pageid": 1, "ns": 0, "title": "X", "redirect": false}]},
                {"pageid": 9, "ns": 0, "title": "B", "length": 20},
            ]}
        }));
        merge(
            &mut all,
            pages(json!({"batchcomplete": true, "query": {"pages": [
                {"pageid": 7, "ns": 0, "title": "A", "linkshere": [{"title": "Y"}]},
                {"pageid": 9, "ns": 0, "title": "B", "linkshere": [{"title": "Z"}],
                 "pageprops": {"disambiguation": ""}},
                {"pageid": 11, "ns": 0, "title": "C"},
            ]}})),
        );
        let told: Vec<_> = all
            .iter()
            .map(|p| (p.title.as_str(), p.length, p.linkshere.len(), p.pageprops.len()))
            .collect();
        assert_eq!(told, [("A", 10, 2, 0), ("B", 20, 1, 1), ("C", 0, 0, 0)]);
        assert_eq!(all[0].extract.as_deref(), Some("text"));
    }

    #[test]
    fn pages_that_are_not_there_are_no_articles() {
        let pages = pages(json!({"query": {"pages": [
            {"ns": 0, "title": "No", "missing": true},
            {"title": "a<b", "invalid": true, "invalidreason": {"code": "c", "text": "t"}},
            {"ns": -1, "title": "Special:Random", "special": true},
            {"pageid": 3, "ns": 1, "title": "Talk:A"},
            {"pageid": 4, "ns": 0, "title": "A"},
        ]}}));
        let articles: Vec<bool> = pages.iter().map(Page::is_article).collect();
        assert_eq!(articles, [false, false, false, false, true]);
    }

    #[test]
    fn errors_are_found_in_both_forms() {
        let error = |value| {
            let answer: Answer = serde_json::from_value(value).unwrap();
            answer.error().map(|error| (error.code.clone(), error.text.clone()))
        };
        let wanted = Some(("maxlag".to_owned(), "Waiting".to_owned()));
        assert_eq!(error(json!({"errors": [{"code": "maxlag", "text": "Waiting"}]})), wanted);
        assert_eq!(
            error(json!({"error": {"code": "maxlag", "info": "Waiting", "lag": 6}})),
            wanted
        );
        assert_eq!(error(json!({"batchcomplete": true})), None);
        let other: Answer = serde_json::from_value(json!({"hello": 1})).unwrap();
        assert!(!other.is_of_the_api());
    }
}
