//! Which pages may ground a task, and what they are filed under; the original's rules, with its
//! mistakes mended.

use super::answer::Page;
use crate::tools::article_rules::{is_ambiguous, is_no_subject};
use crate::tools::day_lines::Day;

/// An article drawn at random has wikitext of so many bytes, at least.
const LEAST_BYTES: u64 = 1_000;
const PREFIX: &str = "Category:";
/// What names categories by which editors look after articles.
const MAINTENANCE: [&str; 7] =
    ["articles", "cs1", "disambiguation", "pages", "stubs", "use dmy dates", "wiki"];

/// Whether a page drawn at random may be used, apart from the length of its text and from its
/// backlinks: it is an article, of some size, and neither a list nor a stub nor a day of the year.
pub(super) fn may_ground(page: &Page) -> bool {
    let has_text = page.extract.as_ref().is_some_and(|lead| !lead.trim().is_empty());
    is_subject(page) && has_text && page.length >= LEAST_BYTES && !is_stub(page)
}

/// Whether a page is an article about something.
pub(super) fn is_subject(page: &Page) -> bool {
    let is_list = || categories(page).any(|name| name.starts_with("Lists "));
    let is_day = || Day::all().any(|day| day.title() == page.title);
    page.is_article()
        && !is_disambiguation(page)
        && !is_no_subject(&page.title)
        && !is_list()
        && !is_day()
}

/// Whether some page links to it.
pub(super) fn has_backlinks(page: &Page) -> bool {
    page.linkshere.iter().any(|link| link.title != page.title)
}

/// Whether a page lists the meanings of its title. Wikis without the extension that notes it have
/// a category.
pub(super) fn is_disambiguation(page: &Page) -> bool {
    page.pageprops.contains_key("disambiguation")
        || categories(page).any(|name| name.to_lowercase().contains("disambiguation"))
        || page.extract.as_deref().is_some_and(is_ambiguous)
}

fn is_stub(page: &Page) -> bool {
    categories(page).any(|name| name.to_lowercase().ends_with("stubs"))
}

fn categories(page: &Page) -> impl Iterator<Item = &str> {
    let names = page.categories.iter().map(|category| category.title.as_str());
    names.map(|title| title.strip_prefix(PREFIX).unwrap_or(title).trim())
}

/// The categories that say what the article is about.
pub(super) fn subjects(page: &Page) -> Vec<String> {
    let mut subjects = Vec::new();
    for name in categories(page).filter(|name| !name.is_empty()) {
        let lower = name.to_lowercase();
        if !MAINTENANCE.iter().any(|word| lower.contains(word))
            && !subjects.iter().any(|s| s == name)
        {
            subjects.push(name.to_owned());
        }
    }
    subjects
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(change: impl FnOnce(&mut serde_json::Value)) -> Page {
        let mut page = json!({
            "pageid": 1, "ns": 0, "title": "Abacus", "length": 1_000, "extract": "It counts.",
            "linkshere": [{"title": "Sum"}],
            "categories": [{"title": "Category:Art"}, {"title": "Category:Calculators"}],
        });
        change(&mut page);
        serde_json::from_value(page).unwrap()
    }

    #[test]
    fn an_article_of_some_size_that_others_link_to_may_ground_a_task() {
        let good = page(|_| ());
        assert!(may_ground(&good) && has_backlinks(&good) && !is_disambiguation(&good));
        assert!(!has_backlinks(&page(|p| p["linkshere"] = json!([]))));
        assert!(!has_backlinks(&page(|p| p["linkshere"] = json!([{"title": "Abacus"}]))));
    }

    #[test]
    fn other_pages_may_not() {
        let categories = |name: &str| json!([{"title": "Category:Art"}, {"title": name}]);
        for (name, bad) in [
            ("short", page(|p| p["length"] = json!(999))),
            ("empty", page(|p| p["extract"] = json!("\n"))),
            ("without text", page(|p| p["extract"] = json!(null))),
            ("missing", page(|p| p["pageid"] = json!(null))),
            ("talk", page(|p| p["ns"] = json!(1))),
            ("list", page(|p| p["title"] = json!("List of sums"))),
            ("list by category", page(|p| p["categories"] = categories("Category:Lists of sums"))),
            ("day", page(|p| p["title"] = json!("July 20"))),
            ("stub", page(|p| p["categories"] = categories("Category:Maths stubs"))),
            ("by property", page(|p| p["pageprops"] = json!({"disambiguation": ""}))),
            ("by title", page(|p| p["title"] = json!("Abacus (disambiguation)"))),
            ("by lead", page(|p| p["extract"] = json!("Abacus may refer to:\nA\nB"))),
            (
                "by category",
                page(|p| p["categories"] = categories("Category:Disambiguation pages")),
            ),
        ] {
            assert!(!may_ground(&bad), "{name}");
        }
    }

    #[test]
    fn categories_lose_their_prefix_and_those_of_editors_are_left_out() {
        let page = page(|p| {
            let names = [
                "Category:Art",
                "Category:Articles with links",
                "Category:CS1 maint",
                "Category:Art",
                "Category:Wikipedia pages",
                "Category:Category theory",
                "Category:",
                "Bare",
            ];
            p["categories"] = names.iter().map(|name| json!({"title": name})).collect();
        });
        assert_eq!(subjects(&page), ["Art", "Category theory", "Bare"]);
    }
}
