//! Requests to the MediaWiki Action API: how they are put, what an answer means, and how one that
//! comes in parts is followed.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value;
use sn1_actors::text::shown::shown;

use super::answer::{Answer, Message, Page, merge};
use super::filter::is_disambiguation;
use crate::tools::cache::Cache;
use crate::tools::http::{FetchError, Http, Reply, Verdict};

/// In every request. With `maxlag` a wiki whose databases lag behind answers that it is busy.
const COMMON: [(&str, &str); 5] = [
    ("action", "query"),
    ("format", "json"),
    ("formatversion", "2"),
    ("errorformat", "plaintext"),
    ("maxlag", "5"),
];
/// The most requests for one answer that comes in parts.
const PARTS: usize = 4;
/// A wiki that lags wants to be left alone for so long, at least.
const LAG_REST: Duration = Duration::from_secs(5);

/// Where answers may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// From the cache as well.
    Kept,
    /// From the wiki only.
    Fresh,
}

/// A wiki's API.
pub(super) struct Api {
    pub(super) http: Http,
    pub(super) address: Url,
    pub(super) headers: HeaderMap,
    pub(super) cache: Option<Cache>,
}

impl Api {
    /// The pages that a query is about. While not all is told of them and `wants_more` of what was,
    /// the rest is asked for as well, up to a bound.
    pub(super) async fn pages(
        &self,
        parameters: &[(&str, &str)],
        freshness: Freshness,
        jitter: &mut ChaCha8Rng,
        wants_more: impl Fn(&[Page]) -> bool,
    ) -> Result<Vec<Page>, FetchError> {
        let mut pages = Vec::new();
        let mut more = Vec::new();
        for _ in 0..PARTS {
            let url = self.url(parameters, &more);
            let answer = self.ask(&url, freshness, jitter).await?;
            merge(&mut pages, answer.query.unwrap_or_default().pages);
            more = answer.more.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
            // What is left to be told once the batch is complete is of other pages.
            if answer.is_complete || more.is_empty() || !wants_more(&pages) {
                break;
            }
        }
        Ok(pages)
    }

    async fn ask(
        &self,
        url: &Url,
        freshness: Freshness,
        jitter: &mut ChaCha8Rng,
    ) -> Result<Answer, FetchError> {
        let cache = self.cache.as_ref().filter(|_| freshness == Freshness::Kept);
        if let Some(cache) = cache
            && let Some(body) = cache.get(url.as_str()).await
            && let Ok(answer) = serde_json::from_slice(&body)
        {
            return Ok(answer);
        }
        let (answer, body) = self.http.get(url, &self.headers, jitter, judge).await?;
        for Message { code, text } in &answer.warnings {
            tracing::debug!(code = %shown(code), text = %shown(text), "the wiki warns");
        }
        if let Some(cache) = cache.filter(|_| is_worth_keeping(&answer)) {
            cache.put(url.as_str(), &body).await;
        }
        Ok(answer)
    }

    fn url(&self, parameters: &[(&str, &str)], more: &[(String, String)]) -> Url {
        let mut url = self.address.clone();
        let replaced = |name: &str| more.iter().any(|(other, _)| other == name);
        let own = COMMON.iter().chain(parameters).filter(|(name, _)| !replaced(name));
        url.query_pairs_mut().extend_pairs(own).extend_pairs(more);
        url
    }
}

/// Whether an answer tells of an article's text or of a page's links. What is missing or empty
/// today may be there tomorrow, and an ambiguous title may come to mean one thing.
fn is_worth_keeping(answer: &Answer) -> bool {
    let pages = answer.query.iter().flat_map(|query| &query.pages);
    pages.filter(|page| page.is_article()).any(|page| {
        let has_text = page.extract.as_deref().is_some_and(|text| !text.trim().is_empty());
        !page.links.is_empty() || has_text && !is_disambiguation(page)
    })
}

/// A parameter's value is text, whatever it is in JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What an answer means, with its body. Errors come with status 200, so the body counts first.
fn judge(reply: Reply) -> Verdict<(Answer, Vec<u8>)> {
    let answer = match serde_json::from_slice::<Answer>(&reply.body) {
        Ok(answer) if answer.is_of_the_api() => answer,
        Ok(_) => return unknown(&reply, "it has none of the API's parts"),
        Err(error) => return unknown(&reply, &error.to_string()),
    };
    if let Some(Message { code, text }) = answer.error() {
        let cause = format!("the wiki says {}: {}", shown(code), shown(text));
        return match code.as_str() {
            "maxlag" => {
                let wait = reply.retry_after.unwrap_or_default().max(LAG_REST);
                Verdict::Busy { wait: Some(wait), cause }
            }
            "ratelimited" | "readonly" => Verdict::Busy { wait: reply.retry_after, cause },
            code if code.starts_with("internal_api_error") => Verdict::Again { cause },
            _ => Verdict::Refused { cause },
        };
    }
    reply.complaint().unwrap_or(Verdict::Good((answer, reply.body)))
}

fn unknown<T>(reply: &Reply, why: &str) -> Verdict<T> {
    let cause = format!("the answer is not one of the MediaWiki API: {}", shown(why));
    reply.complaint().unwrap_or(Verdict::Again { cause })
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;
    use serde_json::json;

    use super::*;
    use crate::models::test_server::{Reply as Act, Server, answer};
    use crate::tools::cache::CacheLimits;
    use crate::tools::http::Manners;
    use crate::wiring::system_clock;

    fn api(server: &Server, cache: Option<Cache>) -> Api {
        let manners = Manners {
            requests_per_second: 1e6,
            backoff: Duration::from_millis(1),
            ..Manners::polite("mail@example.org")
        };
        Api {
            http: Http::new(manners, system_clock()).unwrap(),
            address: format!("{}/w/api.php", server.url).parse().unwrap(),
            headers: HeaderMap::new(),
            cache,
        }
    }

    async fn server(answers: Vec<Value>) -> Server {
        Server::start(move |_, count| {
            let body = answers[count.min(answers.len() - 1)].to_string();
            let headers = format!("Retry-After: 99\r\nContent-Length: {}\r\n", body.len());
            Act::Raw(answer("200 OK", &headers, body.as_bytes()))
        })
        .await
    }

    async fn pages(api: &Api, freshness: Freshness) -> Result<Vec<Page>, FetchError> {
        let mut jitter = ChaCha8Rng::seed_from_u64(1);
        let wants_more = |pages: &[Page]| pages.iter().all(|page| page.linkshere.len() < 3);
        api.pages(&[("titles", "A b"), ("lhcontinue", "old")], freshness, &mut jitter, wants_more)
            .await
    }

    fn part(link: &str, more: bool) -> Value {
        let page = json!({"pageid": 1, "ns": 0, "title": "A b", "extract": "It is.",
                          "linkshere": [{"title": link}]});
        match more {
            true => json!({"continue": {"lhcontinue": link, "gsroffset": 5},
                           "query": {"pages": [page]}}),
            false => json!({"batchcomplete": true, "continue": {"gsroffset": 9},
                            "query": {"pages": [page]}}),
        }
    }

    #[tokio::test]
    async fn an_answer_in_parts_is_followed_to_its_end_and_no_further() {
        let two = server(vec![part("X", true), part("Y", false)]).await;
        let merged = pages(&api(&two, None), Freshness::Fresh).await.unwrap();
        assert_eq!(merged[0].linkshere.len(), 2);
        let second = &two.seen()[1].path;
        assert!(second.contains("lhcontinue=X") && second.contains("gsroffset=5"), "{second}");
        assert!(second.contains("titles=A+b") && !second.contains("=old"), "{second}");
        assert_eq!(two.seen().len(), 2);

        let endless = server(vec![part("X", true)]).await;
        assert_eq!(pages(&api(&endless, None), Freshness::Fresh).await.unwrap().len(), 1);
        assert_eq!(endless.seen().len(), 3, "no more is asked for than is wanted");
    }

    #[tokio::test]
    async fn what_was_fetched_is_not_asked_for_again_unless_it_has_to_be_fresh() {
        let server = server(vec![part("X", false)]).await;
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().into(), CacheLimits::default(), system_clock());
        let api = api(&server, Some(cache));
        for (freshness, asked) in [
            (Freshness::Fresh, 1),
            (Freshness::Kept, 2),
            (Freshness::Kept, 2),
            (Freshness::Fresh, 3),
        ] {
            assert_eq!(pages(&api, freshness).await.unwrap().len(), 1);
            assert_eq!(server.seen().len(), asked);
        }
    }

    #[tokio::test]
    async fn what_tells_of_no_article_is_asked_for_again() {
        let article = |more: Value| {
            let mut page = json!({"pageid": 1, "ns": 0, "title": "A b"});
            page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            page
        };
        for (page, asked) in [
            (json!({"ns": 0, "title": "A b", "missing": true, "extract": "No."}), 2),
            (article(json!({})), 2),
            (article(json!({"extract": " \n"})), 2),
            (article(json!({"extract": "It is.", "pageprops": {"disambiguation": ""}})), 2),
            (article(json!({"extract": "It is."})), 1),
            (article(json!({"links": [{"title": "C"}]})), 1),
        ] {
            let shown = page.to_string();
            let server =
                server(vec![json!({"batchcomplete": true, "query": {"pages": [page]}})]).await;
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::new(folder.path().into(), CacheLimits::default(), system_clock());
            let api = api(&server, Some(cache));
            for _ in 0..2 {
                pages(&api, Freshness::Kept).await.unwrap();
            }
            assert_eq!(server.seen().len(), asked, "{shown}");
        }
    }

    #[tokio::test]
    async fn errors_that_come_with_status_200_are_told_apart() {
        let fetch = async |code: &str| {
            let error = json!({"errors": [{"code": code, "text": "so\nit is"}]});
            let server = server(vec![error]).await;
            (pages(&api(&server, None), Freshness::Kept).await.unwrap_err(), server.seen().len())
        };
        let cause = |code| format!("the wiki says {code}: so it is");
        for code in ["maxlag", "ratelimited", "readonly"] {
            let wait = Duration::from_secs(99);
            assert_eq!(fetch(code).await, (FetchError::Busy { wait, cause: cause(code) }, 1));
        }
        let internal = "internal_api_error_DBQueryError";
        assert_eq!(fetch(internal).await, (FetchError::Failed { cause: cause(internal) }, 3));
        assert_eq!(fetch("badvalue").await, (FetchError::Failed { cause: cause("badvalue") }, 1));
    }

    #[tokio::test]
    async fn an_answer_of_something_else_is_not_taken_for_an_empty_one() {
        for body in [json!({}), json!([]), json!("text"), json!({"pages": []})] {
            let server = server(vec![body.clone()]).await;
            let error = pages(&api(&server, None), Freshness::Kept).await.unwrap_err();
            let FetchError::Failed { cause } = error else { panic!("{error:?}") };
            assert!(cause.contains("not one of the MediaWiki API"), "{body}: {cause}");
        }
    }
}
