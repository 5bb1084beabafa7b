//! One file over HTTP: resumed where it was left, bounded, and checked before it counts.
//!
//! The bytes go to `.<name>.part` in the model's folder. Whatever ends the download, this file
//! holds a prefix of the answer and the next attempt asks for the rest. For a file whose hash is
//! not known, the server's strong entity tag is kept in `.<name>.etag`, since only it can tell that
//! the rest belongs to the same file; for a pinned one the hash does.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue,
    IF_RANGE, RANGE,
};
use reqwest::{Client, Response, StatusCode, Url};

use super::blocking;
use super::catalogue::{MAX_FILE_BYTES, ModelFile};
use super::error::{Cause, Failure};
use super::hub::reason;
use super::lock::Lock;
use super::progress::Meter;
use super::pull::Pull;
use super::verify::{Expected, check_size, hidden, read_records, read_small, write_small};

const BUFFER: usize = 1 << 20;
const MAX_ETAG: usize = 256;
/// A body may take this long and, beyond it, a second for each [`SLOWEST`] bytes.
const GRACE: Duration = Duration::from_secs(10 * 60);
const SLOWEST: u64 = 32 << 10;

/// What to ask, and whom.
pub(super) struct Request<'a> {
    pub(super) client: &'a Client,
    pub(super) url: Url,
    /// The address without credentials and path, for messages.
    pub(super) endpoint: String,
    /// The `Authorization` header; the client drops it when a redirect leads to another host.
    pub(super) token: Option<&'a HeaderValue>,
    /// The path in the repository, for messages.
    pub(super) path: &'a str,
}

/// How an attempt ends when it does not succeed.
enum Failed {
    /// Another attempt may succeed; what has arrived is kept.
    Again(Cause),
    /// No other attempt at this source is worth it.
    For(Failure),
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self::For(failure)
    }
}

impl From<Cause> for Failed {
    fn from(cause: Cause) -> Self {
        Self::For(Failure::Source(cause))
    }
}

/// Downloads `file`, checks it and puts it in its place.
pub(super) async fn fetch(
    pull: &Pull<'_>,
    file: &ModelFile,
    from: &str,
    request: &Request<'_>,
) -> Result<(), Failure> {
    let meter = pull.meter(file, from);
    let records = read_records(pull.folder).map_err(Failure::Stop)?;
    let known = Expected::of(file, &records).sha256.is_some();
    let mut partial = Partial::open(&pull.target(file), known);
    let mut attempt = 1;
    loop {
        let resumed = partial.len > 0;
        let failed = match one(pull, file, request, &mut partial, &meter).await {
            Err(failed) => failed,
            Ok(()) => {
                let settled = pull.settle(partial.path.clone(), file).await;
                if let Ok(()) | Err(Failure::Source(_)) = &settled {
                    partial.discard();
                }
                match settled {
                    Ok(()) => {
                        meter.done();
                        return Ok(());
                    }
                    // The beginning may be of another version of the file, or of a broken write.
                    Err(Failure::Source(cause @ Cause::Hash { .. })) if resumed => {
                        Failed::Again(cause)
                    }
                    Err(failure) => return Err(failure),
                }
            }
        };
        let cause = match failed {
            Failed::For(failure) => return Err(failure),
            Failed::Again(cause) if attempt >= pull.options.attempts => {
                return Err(Failure::Source(cause));
            }
            Failed::Again(cause) => cause,
        };
        tracing::debug!("attempt {attempt} failed: {cause}");
        tokio::time::sleep(pull.options.backoff.saturating_mul(attempt)).await;
        attempt = attempt.saturating_add(1);
        partial = Partial::open(&pull.target(file), known);
    }
}

/// What of a file has already arrived.
struct Partial {
    path: PathBuf,
    etag_path: PathBuf,
    etag: Option<HeaderValue>,
    len: u64,
}

impl Partial {
    /// `known` says whether the hash is known that the whole file must have; else a prefix without
    /// an entity tag is of no use.
    fn open(target: &Path, known: bool) -> Self {
        let (path, etag_path) = (hidden(target, "part"), hidden(target, "etag"));
        let etag = read_small(&etag_path).ok().flatten();
        let etag = etag.and_then(|etag| HeaderValue::from_str(etag.trim()).ok());
        let len = fs::metadata(&path).map_or(0, |found| found.len());
        let mut partial = Self { path, etag_path, etag, len };
        if !known && partial.etag.is_none() {
            partial.discard();
        }
        partial
    }

    /// Forgets what has arrived.
    fn discard(&mut self) {
        for path in [&self.path, &self.etag_path] {
            // Best effort: what stays is overwritten from its beginning.
            let _ = fs::remove_file(path);
        }
        self.etag = None;
        self.len = 0;
    }

    /// Begins anew with the answer that has these headers.
    fn restart(&mut self, headers: &HeaderMap) -> Result<(), Failure> {
        self.discard();
        let strong = headers.get(ETAG).filter(|etag| etag.as_bytes().starts_with(b"\""));
        let text = strong.and_then(|etag| etag.to_str().ok()).filter(|etag| etag.len() <= MAX_ETAG);
        if let Some(text) = text {
            write_small(&self.etag_path, text)
                .map_err(|cause| Failure::write(&self.etag_path, 0, cause))?;
        }
        Ok(())
    }
}

/// One request and its answer; Ok when the partial file has all the bytes there are.
async fn one(
    pull: &Pull<'_>,
    file: &ModelFile,
    request: &Request<'_>,
    partial: &mut Partial,
    meter: &Meter,
) -> Result<(), Failed> {
    match file.bytes {
        Some(bytes) if partial.len == bytes => return Ok(()),
        Some(bytes) if partial.len > bytes => partial.discard(),
        Some(_) | None => {}
    }
    let mut get = request.client.get(request.url.clone()).header(ACCEPT_ENCODING, "identity");
    if let Some(token) = request.token {
        get = get.header(AUTHORIZATION, token);
    }
    if partial.len > 0 {
        get = get.header(RANGE, format!("bytes={}-", partial.len));
        if let Some(etag) = &partial.etag {
            get = get.header(IF_RANGE, etag);
        }
    }
    let response = get.send().await.map_err(|error| unsent(error, &request.endpoint))?;
    let refused =
        || Cause::Refused { file: request.path.to_owned(), status: response.status().as_u16() };
    match response.status() {
        StatusCode::OK => partial.restart(response.headers())?,
        StatusCode::PARTIAL_CONTENT if begins_at(response.headers(), partial.len) => {}
        // An answer to another range than was asked for, or none that fits what has arrived.
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if partial.len > 0 => {
            partial.discard();
            return Err(Failed::Again(refused()));
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            return Err(Failed::Again(refused()));
        }
        status if status.is_server_error() => return Err(Failed::Again(refused())),
        _ => return Err(refused().into()),
    }
    let total = announced(file, &response, partial.len)?;
    pull.space(&pull.target(file), total.saturating_sub(partial.len)).await?;
    let bound =
        GRACE.saturating_add(Duration::from_secs(total.saturating_sub(partial.len) / SLOWEST));
    let body = read_body(pull, file, response, partial, total, meter);
    let late = || Failed::Again(Cause::Other(format!("{} came too slowly", request.path)));
    tokio::time::timeout(bound, body).await.unwrap_or_else(|_| Err(late()))
}

/// The size that the whole file will have. Where neither the catalogue nor the server tells it, a
/// body that was cut off could not be told from a whole one.
fn announced(file: &ModelFile, response: &Response, offset: u64) -> Result<u64, Failed> {
    let encoding = response.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(Cause::Other(
            "the server sends the file in an encoding that was not asked for".into(),
        )
        .into());
    }
    let total = response.content_length().map(|length| offset.saturating_add(length));
    if let Some(total) = total {
        check_size(file, total)?;
    }
    total.or(file.bytes).ok_or_else(|| {
        Cause::Other("the server does not tell the file's size, and the catalogue has none".into())
            .into()
    })
}

async fn read_body(
    pull: &Pull<'_>,
    file: &ModelFile,
    mut response: Response,
    partial: &mut Partial,
    total: u64,
    meter: &Meter,
) -> Result<(), Failed> {
    let mut sink = Sink::open(pull.lock.clone(), &partial.path, partial.len)?;
    let mut received = partial.len;
    let end = loop {
        meter.at(received);
        match response.chunk().await {
            Ok(Some(chunk)) => {
                received = received.saturating_add(chunk.len() as u64);
                if received > total.min(MAX_FILE_BYTES) {
                    drop(sink);
                    partial.discard();
                    let cause =
                        Cause::Size { file: file.name.clone(), expected: total, actual: received };
                    return Err(cause.into());
                }
                sink.push(&chunk).await?;
            }
            Ok(None) if received == total => break Ok(()),
            Ok(None) => {
                let text = format!("the connection ended after {received} of {total} bytes");
                break Err(Failed::Again(Cause::Other(text)));
            }
            Err(error) => {
                let text = format!(
                    "the connection broke after {received} of {total} bytes: {}",
                    reason(error)
                );
                break Err(Failed::Again(Cause::Other(text)));
            }
        }
    };
    sink.flush().await?;
    end
}

fn unsent(error: reqwest::Error, endpoint: &str) -> Failed {
    if error.is_connect() {
        Cause::Unreachable { endpoint: endpoint.to_owned(), reason: reason(error) }.into()
    } else if error.is_redirect() || error.is_builder() {
        Cause::Other(reason(error)).into()
    } else {
        Failed::Again(Cause::Other(reason(error)))
    }
}

/// Does this answer to a range request begin where it should?
fn begins_at(headers: &HeaderMap, offset: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let start = range.and_then(|range| range.trim().strip_prefix("bytes ")?.split('-').next());
    offset > 0 && start.and_then(|start| start.parse().ok()) == Some(offset)
}

/// Appends to the partial file in large pieces, off the runtime's thread.
struct Sink {
    lock: Arc<Lock>,
    path: PathBuf,
    /// Absent only after a write has failed.
    file: Option<File>,
    buffer: Vec<u8>,
}

impl Sink {
    /// Keeps the first `len` bytes that are there.
    fn open(lock: Arc<Lock>, path: &Path, len: u64) -> Result<Self, Failure> {
        let open = || -> std::io::Result<File> {
            let mut file =
                OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.set_len(len)?;
            file.seek(SeekFrom::Start(len))?;
            Ok(file)
        };
        let file = open().map_err(|cause| Failure::write(path, 0, cause))?;
        Ok(Self {
            lock,
            path: path.to_owned(),
            file: Some(file),
            buffer: Vec::with_capacity(BUFFER),
        })
    }

    async fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        self.buffer.extend_from_slice(chunk);
        if self.buffer.len() >= BUFFER { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let (path, mut buffer) = (self.path.clone(), std::mem::take(&mut self.buffer));
        let write = move |_: &blocking::Cancel| {
            file.write_all(&buffer)
                .map_err(|cause| Failure::write(&path, buffer.len() as u64, cause))?;
            buffer.clear();
            Ok((file, buffer))
        };
        let (file, buffer) = blocking::run(Some(self.lock.clone()), write).await?;
        self.file = Some(file);
        self.buffer = buffer;
        Ok(())
    }
}
