//! The Hugging Face hub: first what its own tools have cached on this machine, then the network.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Client, Url};

use super::catalogue::{ModelFile, Source};
use super::download::{self, Request};
use super::environment::Environment;
use super::error::{Cause, Failure};
use super::local;
use super::pull::Pull;
use super::verify::{read_records, read_small};
use crate::loopback::is_loopback;

const ENDPOINT: &str = "https://huggingface.co";
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);
const REDIRECTS: usize = 5;
const MAX_SNAPSHOTS: usize = 256;
const MAX_REASON: usize = 300;

/// The hub's address and the client to reach it.
struct Hub {
    client: Client,
    endpoint: Url,
    token: Option<HeaderValue>,
}

impl Hub {
    fn new(environment: &Environment) -> Result<Self, Failure> {
        let text = environment.hf_endpoint.as_deref().unwrap_or(ENDPOINT);
        let endpoint = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| Failure::other("HF_ENDPOINT is no http or https address"))?;
        let token = environment.hf_token.as_ref().map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
                .map_err(|_| Failure::other("HF_TOKEN holds characters that no token has"))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .https_only(endpoint.scheme() == "https")
            .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
            // Sizes and resumed downloads count bytes as they are sent.
            .no_gzip()
            .no_deflate()
            .user_agent(concat!("sn1/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&endpoint) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| Failure::other(reason(error)))?;
        Ok(Self { client, endpoint, token: token.transpose()? })
    }

    fn url(&self, repository: &str, revision: &str, path: &str) -> Result<Url, Failure> {
        let mut url = self.endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::other("HF_ENDPOINT is no http or https address"))?
            .pop_if_empty()
            .extend(repository.split('/'))
            .push("resolve")
            .push(revision)
            .extend(path.split('/'));
        Ok(url)
    }

    /// The address for messages: host and port, no user, password or path.
    fn shown(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }
}

/// Brings the `missing` files in. Sets `unreachable` when the hub cannot be connected to, and goes
/// without the network when it is set.
pub(super) async fn pull(
    pull: &Pull<'_>,
    source: &Source,
    (repository, revision): (&str, &str),
    missing: &[&ModelFile],
    unreachable: &AtomicBool,
) -> Result<(), Failure> {
    let hub = Hub::new(pull.environment)?;
    for file in missing {
        let path = source.path_of(file);
        if cached(pull, file, repository, revision, path).await? {
            continue;
        }
        if unreachable.load(Ordering::Relaxed) {
            let reason = "an earlier try in this run failed".to_owned();
            return Err(Failure::Source(Cause::Unreachable { endpoint: hub.shown(), reason }));
        }
        let request = Request {
            client: &hub.client,
            url: hub.url(repository, revision, path)?,
            endpoint: hub.shown(),
            token: hub.token.as_ref(),
            path,
        };
        let result = download::fetch(pull, file, &source.to_string(), &request).await;
        if let Err(Failure::Source(Cause::Unreachable { .. })) = &result {
            unreachable.store(true, Ordering::Relaxed);
        }
        result?;
    }
    Ok(())
}

/// Takes the file from a snapshot that a Hugging Face tool has cached, if a right one is there.
async fn cached(
    pull: &Pull<'_>,
    file: &ModelFile,
    repository: &str,
    revision: &str,
    path: &str,
) -> Result<bool, Failure> {
    let Some(home) = pull.environment.hub_home() else { return Ok(false) };
    let records = read_records(pull.folder).map_err(Failure::Stop)?;
    let pinned = file.sha256.is_some() || records.contains_key(&file.name);
    let folder = home.join("hub").join(format!("models--{}", repository.replace('/', "--")));
    for snapshot in snapshots(&folder, revision, pinned) {
        let candidate = snapshot.join(path);
        if !candidate.is_file() {
            continue;
        }
        match local::take(pull, file, candidate).await {
            Ok(()) => return Ok(true),
            Err(Failure::Source(cause)) => {
                tracing::debug!("a cached snapshot does not do: {cause}")
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(false)
}

/// The snapshots to look in: that of the revision, and where a pin tells right from wrong, all.
fn snapshots(folder: &Path, revision: &str, pinned: bool) -> Vec<PathBuf> {
    let all = folder.join("snapshots");
    let commit = read_small(&folder.join("refs").join(revision)).ok().flatten();
    let commit = commit.as_deref().map_or(revision, str::trim);
    // A reference that leads elsewhere names no snapshot.
    let named = (!commit.contains(['/', '\\']) && commit != "..").then(|| all.join(commit));
    let mut others: Vec<PathBuf> = Vec::new();
    if pinned && let Ok(entries) = fs::read_dir(&all) {
        others = entries.flatten().take(MAX_SNAPSHOTS).map(|entry| entry.path()).collect();
        others.sort();
        others.retain(|other| Some(other) != named.as_ref());
    }
    named.into_iter().chain(others).collect()
}

/// What went wrong, without the address: after a redirect it may hold a signature.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text.chars().take(MAX_REASON).collect()
}
