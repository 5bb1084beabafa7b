//! Articles and dated facts of Wikipedia, or of any other wiki with the MediaWiki Action API and its
//! TextExtracts extension.
//!
//! A random article costs two requests: one for a batch of candidates with all that the original's
//! filter looks at, one for the whole text, which is told for one page at a time only. Candidates
//! that are left over wait for the next call.
//!
//! Left out: fetching ahead of need, which ToolFetcher does for all slow tools, and reading HTML.

mod answer;
mod api;
mod day;
mod draw;
mod filter;
mod page;
mod text;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rand_chacha::ChaCha8Rng;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use sn1_actors::domain::{Context, SourceKind};
use sn1_actors::ports::{Clock, Tool, ToolError, Want};

use self::api::Api;
use super::cache::{Cache, CacheLimits};
use super::http::{FetchError, Http, HttpError, Manners};
use crate::engine::ApiKey;

/// `Context::source` of everything from here.
const SOURCE: &str = "wikipedia";
/// The licence of Wikipedia's text.
const LICENSE: &str = "CC BY-SA 4.0";
/// Of the English Wikipedia.
const ENGLISH: &str = "https://en.wikipedia.org/w/api.php";

/// Which wiki is asked, and how.
#[derive(Clone, Debug)]
pub struct WikipediaConfig {
    /// The address of its Action API, which ends with `/api.php`.
    pub api: String,
    /// The bearer token of an account, for wikis that then allow more.
    pub token: Option<ApiKey>,
    /// The licence of its text, as contexts name it, if it is known.
    pub license: Option<String>,
    /// How it is treated.
    pub manners: Manners,
    /// The folder where articles are kept between runs, if they are.
    pub cache: Option<PathBuf>,
    /// The most bytes that are kept there.
    pub cache_bytes: u64,
}

impl WikipediaConfig {
    /// The English Wikipedia, asked politely and anonymously; nothing is kept.
    #[must_use]
    pub fn english(contact: impl Into<String>) -> Self {
        Self {
            api: ENGLISH.to_owned(),
            token: None,
            license: Some(LICENSE.to_owned()),
            manners: Manners::polite(contact),
            cache: None,
            cache_bytes: CacheLimits::default().max_bytes,
        }
    }
}

/// Why a wiki cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WikipediaError {
    /// The address is of no use.
    #[error(
        "the wiki's API {address:?}: {problem}; give one like https://en.wikipedia.org/w/api.php"
    )]
    Address {
        /// As it was given, without what may be a password.
        address: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The manners make no sense.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// The tool.
#[derive(Clone)]
pub struct Wikipedia(Arc<Inner>);

struct Inner {
    api: Api,
    license: Option<String>,
    /// Titles from batches of random pages that passed the filter and were not used yet.
    candidates: Mutex<Vec<String>>,
}

/// The streams that one fetch draws from: its own choices, and pauses, whose number must not change
/// those.
struct Streams {
    random: ChaCha8Rng,
    jitter: ChaCha8Rng,
}

impl Wikipedia {
    /// A tool for a wiki; it sends no request yet.
    ///
    /// # Errors
    /// [`WikipediaError`] where the configuration makes no sense.
    pub fn new(config: WikipediaConfig, clock: Arc<dyn Clock>) -> Result<Self, WikipediaError> {
        let WikipediaConfig { api, token, license, manners, cache, cache_bytes } = config;
        let address = address(&api).map_err(|problem| {
            let address = api.rsplit('@').next().unwrap_or_default().to_owned();
            WikipediaError::Address { address, problem }
        })?;
        let http = Http::new(manners, clock.clone())?;
        let limits = CacheLimits { max_bytes: cache_bytes, ..CacheLimits::default() };
        let cache = cache.map(|folder| Cache::new(folder, limits, clock));
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, token.header().clone());
        }
        let api = Api { http, address, headers, cache };
        Ok(Self(Arc::new(Inner { api, license, candidates: Mutex::default() })))
    }
}

fn address(text: &str) -> Result<Url, &'static str> {
    let url: Url = text.trim().parse().map_err(|_| "it is no address")?;
    match url.scheme() {
        "http" | "https" => {}
        _ => return Err("it begins with neither http:// nor https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a name or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has something behind its path");
    }
    Ok(url)
}

impl Tool for Wikipedia {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn offers(&self, kind: SourceKind) -> bool {
        matches!(kind, SourceKind::Article | SourceKind::DatedFact)
    }

    fn fetch(
        &self,
        want: Want,
        random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>> {
        let inner = Arc::clone(&self.0);
        let mut jitter = random.clone();
        jitter.set_stream(random.get_stream().wrapping_add(1));
        let mut streams = Streams { random, jitter };
        Box::pin(async move {
            let found = match want {
                Want::Random(SourceKind::Article) => inner.random_article(&mut streams).await,
                Want::Random(SourceKind::DatedFact) => inner.random_fact(&mut streams).await,
                Want::Search(SourceKind::Article, text) => inner.search(&text, &mut streams).await,
                Want::Title(title) => inner.titled(&title, &mut streams).await,
                Want::Random(_) | Want::Search(..) => Ok(None),
            };
            found
                .map_err(|error: FetchError| error.of(SOURCE))?
                .ok_or(ToolError::Nothing { tool: SOURCE })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiring::system_clock;

    #[test]
    fn an_address_that_is_of_no_use_is_named_without_its_password() {
        let refused = |api: &str| {
            let config = WikipediaConfig {
                api: api.to_owned(),
                ..WikipediaConfig::english("mail@example.org")
            };
            Wikipedia::new(config, system_clock()).err().unwrap().to_string()
        };
        assert!(refused("wiki").contains("no address"));
        assert!(refused("ftp://wiki/w/api.php").contains("neither http"));
        assert!(refused("https://wiki/w/api.php?x=1").contains("behind its path"));
        let password = refused("https://user:secret@wiki/w/api.php");
        assert!(password.contains("password") && !password.contains("secret"), "{password}");
        let nobody = Wikipedia::new(WikipediaConfig::english(" "), system_clock());
        assert!(nobody.err().unwrap().to_string().contains("contact"));
    }
}
