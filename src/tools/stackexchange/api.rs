//! Requests to the API, and what its answers mean: items, waits or refusals.
//!
//! Errors of the API come with the status 400 and a JSON body; those of what stands before it come
//! as pages with real statuses. So the body is looked at first.

use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sn1_actors::ports::{Clock, ToolError};
use sn1_actors::text::shown::shown;

use super::posts::{Answer, Question};
use super::rests::{Method, Rests};
use super::{BATCH, NAME, StackExchangeError};
use crate::engine::ApiKey;
use crate::tools::http::{Http, Reply, Verdict};

/// How long it is left alone where it is overloaded and says no time.
const OVERLOADED: Duration = Duration::from_secs(60);

/// One site of the API.
pub(super) struct Api {
    http: Http,
    clock: Arc<dyn Clock>,
    base: Url,
    site: String,
    key: Option<ApiKey>,
    /// The forms of the key, which no message shows.
    hidden: Vec<String>,
    rests: Rests,
}

/// The items of an answer, without those that are none.
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
    pub(super) has_more: bool,
}

/// What is around every answer.
#[derive(Deserialize)]
struct Wrapper {
    items: Option<Vec<Value>>,
    #[serde(default)]
    has_more: bool,
    quota_remaining: Option<i64>,
    backoff: Option<f64>,
    error_id: Option<i64>,
    #[serde(default)]
    error_name: String,
    #[serde(default)]
    error_message: String,
}

/// How an answer was meant that is in the API's form.
enum Answered {
    Items(Wrapper),
    /// For so long no call, or no call of the method.
    Throttled {
        wait: Duration,
        method_only: bool,
        why: String,
    },
}

impl Api {
    pub(super) fn new(
        http: Http,
        clock: Arc<dyn Clock>,
        base_url: &str,
        site: String,
        key: Option<ApiKey>,
    ) -> Result<Self, StackExchangeError> {
        let error =
            |cause: &str| StackExchangeError::Url { url: shown(base_url), cause: cause.to_owned() };
        let base: Url = base_url.parse().map_err(|_| error("it does not parse"))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(error("it is none of the web"));
        }
        let hidden = key.as_ref().map(|key| forms(key.reveal(), &base)).unwrap_or_default();
        Ok(Self { http, clock, base, site, key, hidden, rests: Rests::default() })
    }

    pub(super) fn site(&self) -> &str {
        &self.site
    }

    /// A page of questions, from 1, the best first.
    pub(super) async fn questions(
        &self,
        page: u32,
        jitter: &mut ChaCha8Rng,
    ) -> Result<Items<Question>, ToolError> {
        let page = page.to_string();
        let more = [("order", "desc"), ("sort", "votes"), ("page", page.as_str())];
        self.get(Method::Questions, &["questions"], &more, jitter).await
    }

    /// The answers of these identifiers.
    pub(super) async fn answers(
        &self,
        answers: Vec<u64>,
        jitter: &mut ChaCha8Rng,
    ) -> Result<Vec<Answer>, ToolError> {
        let path = ["answers", &joined(answers)];
        Ok(self.get(Method::Answers, &path, &[], jitter).await?.items)
    }

    /// Answers of these questions, the best first; not of all, if there are many.
    pub(super) async fn answers_of(
        &self,
        questions: Vec<u64>,
        jitter: &mut ChaCha8Rng,
    ) -> Result<Vec<Answer>, ToolError> {
        let path = ["questions", &joined(questions), "answers"];
        let more = [("order", "desc"), ("sort", "votes")];
        Ok(self.get(Method::AnswersOf, &path, &more, jitter).await?.items)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        more: &[(&str, &str)],
        jitter: &mut ChaCha8Rng,
    ) -> Result<Items<T>, ToolError> {
        let busy = |(wait, cause)| ToolError::Busy { tool: NAME, wait, cause };
        self.rests.check(method, self.clock.now()).map_err(busy)?;
        let url = self.url(path, more);
        // The address holds the key, and a page about an error may repeat the address.
        let judge = |reply| judge(self.without_key(reply));
        let answered = self.http.get(&url, &HeaderMap::new(), jitter, judge).await;
        let now = self.clock.now();
        match answered.map_err(|error| error.of(NAME))? {
            Answered::Items(wrapper) => {
                if let Some(backoff) = wrapper.backoff.filter(|seconds| *seconds > 0.0) {
                    let wait = Duration::try_from_secs_f64(backoff).unwrap_or(Duration::MAX);
                    self.rests.method(method, now, wait, "it asked to back off".into());
                }
                if wrapper.quota_remaining.is_some_and(|left| left <= 0) {
                    self.rests.quota(now);
                }
                let values = wrapper.items.unwrap_or_default().into_iter().take(BATCH);
                let items = values.filter_map(|item| serde_json::from_value(item).ok()).collect();
                Ok(Items { items, has_more: wrapper.has_more })
            }
            Answered::Throttled { wait, method_only, why } => {
                if method_only {
                    self.rests.method(method, now, wait, why);
                } else {
                    self.rests.all(now, wait, why);
                }
                // The rest that was just set.
                let rest = self.rests.check(method, now);
                Err(rest.err().map_or_else(super::nothing, busy))
            }
        }
    }

    fn url(&self, path: &[&str], more: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let size = BATCH.to_string();
        url.query_pairs_mut()
            .extend_pairs([("site", self.site.as_str()), ("pagesize", &size)])
            .extend_pairs([("filter", "withbody")])
            .extend_pairs(more)
            .extend_pairs(self.key.iter().map(|key| ("key", key.reveal())));
        url
    }

    /// The answer without the key, before words of it are cut to fit into a message.
    fn without_key(&self, mut reply: Reply) -> Reply {
        if self.hidden.is_empty() {
            return reply;
        }
        let text = String::from_utf8_lossy(&reply.body);
        let told = self.hidden.iter().filter(|form| text.contains(form.as_str()));
        let told: Vec<&String> = told.collect();
        if !told.is_empty() {
            let clean = told.iter().fold(text.into_owned(), |text, form| text.replace(*form, "…"));
            reply.body = clean.into_bytes();
        }
        reply
    }
}

/// A key as it is, and as addresses write it.
fn forms(key: &str, base: &Url) -> Vec<String> {
    let mut url = base.clone();
    url.query_pairs_mut().clear().append_key_only(key);
    let encoded = url.query().unwrap_or_default();
    let forms = [key.to_owned(), encoded.to_owned(), encoded.to_lowercase()];
    forms.into_iter().filter(|form| !form.is_empty()).collect()
}

/// In the order of their numbers, so that the same question is asked in the same words.
fn joined(mut ids: Vec<u64>) -> String {
    ids.sort_unstable();
    let ids: Vec<String> = ids.iter().take(BATCH).map(u64::to_string).collect();
    ids.join(";")
}

fn judge(reply: Reply) -> Verdict<Answered> {
    match serde_json::from_slice::<Wrapper>(&reply.body) {
        Ok(wrapper) if wrapper.error_id.is_some() => refused(&wrapper),
        Ok(wrapper) if wrapper.items.is_some() && reply.status.is_success() => {
            Verdict::Good(Answered::Items(wrapper))
        }
        Ok(_) => complaint(&reply, "an answer without items"),
        Err(_) => complaint(&reply, "an answer that is not the API's"),
    }
}

/// What the status says, for a body that says nothing.
fn complaint(reply: &Reply, otherwise: &str) -> Verdict<Answered> {
    match reply.complaint() {
        // What bans says so with a page, mostly without a time.
        Some(Verdict::Busy { wait, cause }) => {
            let wait = wait.unwrap_or_default().max(OVERLOADED);
            Verdict::Good(Answered::Throttled { wait, method_only: false, why: shown(&cause) })
        }
        Some(verdict) => verdict,
        None => {
            let said = reply.body.get(..400).unwrap_or(&reply.body);
            Verdict::Again { cause: format!("{otherwise}: {}", String::from_utf8_lossy(said)) }
        }
    }
}

/// What an error of the API means.
fn refused(wrapper: &Wrapper) -> Verdict<Answered> {
    let Wrapper { error_name, error_message, .. } = wrapper;
    let id = wrapper.error_id.unwrap_or_default();
    let cause = shown(&format!("error {id} {error_name}: {error_message}"));
    let throttled = |wait, method_only| {
        Verdict::Good(Answered::Throttled { wait, method_only, why: cause.clone() })
    };
    match id {
        502 if error_message.contains("backoff") => throttled(OVERLOADED, true),
        502 => throttled(seconds_in(error_message).unwrap_or(OVERLOADED), false),
        503 => throttled(OVERLOADED, false),
        500 => Verdict::Again { cause },
        _ => Verdict::Refused { cause: format!("{cause}; correct the site or the key") },
    }
}

/// The number of seconds that a message names.
fn seconds_in(message: &str) -> Option<Duration> {
    let words: Vec<&str> = message.split_whitespace().collect();
    let named = words.windows(2).find_map(|pair| match pair {
        [number, unit] if unit.starts_with("second") => number.parse().ok(),
        _ => None,
    });
    named.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seconds_of_a_throttle_message_are_found() {
        let of = |message: &str| seconds_in(message).map(|wait| wait.as_secs());
        let message = "too many requests from this IP, more requests available in 82216 seconds";
        assert_eq!(of(message), Some(82_216));
        assert_eq!(of("wait 1 second."), Some(1));
        assert_eq!(of("wait some seconds, or 99999999999999999999 seconds"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn identifiers_are_joined_in_their_order_and_a_hundred_at_most() {
        assert_eq!(joined(vec![3, 1, 2]), "1;2;3");
        assert_eq!(joined((0..500).collect()).split(';').count(), BATCH);
    }
}
