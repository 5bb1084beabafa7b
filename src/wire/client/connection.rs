//! One connection for one request at a time, with a bound on all that is read for it.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::http::response::Parts;
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, Join, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::WireError;

/// The most of a reply's head that is held in memory. The SDK reads lines of up to 8190 bytes; an
/// axon's head has about 3000 bytes.
const MAX_HEAD: usize = 32 << 10;
/// The most header lines; an axon sends about 25.
const MAX_HEADERS: usize = 128;
/// Chunk marks, trailers and interim heads may take so many times what the body may: a token of four
/// letters that is sent as a chunk of its own has nine bytes.
const FRAMING: u64 = 3;

type Wire = TokioIo<Join<Bounded<OwnedReadHalf>, OwnedWriteHalf>>;
type Driver = http1::Connection<Wire, Full<Bytes>>;

/// A connection to an axon. What it reads for a request is bounded in all, dropped it hangs up, and
/// only whoever waits for it drives it: it needs no task of its own.
pub(super) struct Connection {
    address: SocketAddr,
    sender: http1::SendRequest<Full<Bytes>>,
    /// Nothing once it has ended.
    driver: Option<Box<Driver>>,
    /// How it ended, where the request itself was not told.
    failure: Option<hyper::Error>,
    /// Nothing before the head of a reply, and once the body was read to its end.
    body: Option<Incoming>,
    /// Whether the last head promised that another request may follow.
    kept: bool,
    /// What may still be read for this request, in bytes.
    left: Arc<AtomicU64>,
    /// Bytes of the body so far, and the most that there may be.
    read: usize,
    limit: usize,
}

impl Connection {
    /// Connects, for requests whose replies have bodies of up to `limit` bytes, the first of them of
    /// the named synapse.
    pub(super) async fn open(
        address: SocketAddr,
        synapse: &'static str,
        limit: usize,
    ) -> Result<Self, WireError> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| WireError::unavailable(address, synapse, &error))?;
        // The request is written at once; waiting for more to send would only delay it. A socket
        // that cannot be told so works all the same.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        let left = Arc::new(AtomicU64::new(0));
        let bounded = Bounded { reader, left: Arc::clone(&left) };
        let wire = TokioIo::new(tokio::io::join(bounded, writer));
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(wire)
            .await
            .map_err(|error| WireError::before_the_body(&error))?;
        let driver = Some(Box::new(driver));
        let (failure, body) = (None, None);
        Ok(Self { address, sender, driver, failure, body, kept: false, left, read: 0, limit })
    }

    /// Whose connection it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether another request may be sent: the last reply was read to its end, the axon keeps the
    /// connection, and it has sent nothing since that nobody asked for.
    pub(super) async fn is_idle(&mut self) -> bool {
        drive(&mut self.driver, &mut self.failure, std::future::ready(())).await;
        self.kept && self.body.is_none() && self.driver.is_some() && self.sender.is_ready()
    }

    /// Whether nothing was read since the last request was sent.
    pub(super) fn is_unanswered(&self) -> bool {
        self.left.load(Ordering::Relaxed) == self.allowed()
    }

    /// The most that a whole reply may have, in bytes.
    fn allowed(&self) -> u64 {
        MAX_HEAD as u64 + (1 + FRAMING) * self.limit as u64
    }

    /// Sends the request and waits for the head of the reply.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Parts, WireError> {
        (self.kept, self.read) = (false, 0);
        self.left.store(self.allowed(), Ordering::Relaxed);
        let response = self.sender.send_request(request);
        let response = drive(&mut self.driver, &mut self.failure, response).await;
        let response: Response<Incoming> = response.map_err(|error| {
            let error = self.failure.as_ref().unwrap_or(&error);
            tracing::trace!(address = %self.address, ?error, "no reply");
            WireError::before_the_body(error)
        })?;
        let (parts, body) = response.into_parts();
        self.body = Some(body);
        // That it does not say `connection: close` is seen when it does not close.
        self.kept = parts.version == Version::HTTP_11;
        Ok(parts)
    }

    /// The next bytes of the body, as they arrive; nothing at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, WireError> {
        let Some(body) = &mut self.body else { return Ok(None) };
        loop {
            let frame = drive(&mut self.driver, &mut self.failure, body.frame()).await;
            let Some(frame) = frame else {
                self.body = None;
                return Ok(None);
            };
            let frame = frame.map_err(|error| WireError::in_the_body(&error, self.limit))?;
            // What is no data is trailers, in which nobody says anything.
            let Ok(chunk) = frame.into_data() else { continue };
            self.read = self.read.saturating_add(chunk.len());
            if self.read > self.limit {
                return Err(WireError::TooLong { limit: self.limit });
            }
            return Ok(Some(chunk));
        }
    }
}

/// Waits for `work`, and meanwhile drives the connection on which it waits.
async fn drive<T>(
    driver: &mut Option<Box<Driver>>,
    failure: &mut Option<hyper::Error>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        if let Some(running) = driver
            && let Poll::Ready(ended) = Pin::new(running.as_mut()).poll(context)
        {
            *driver = None;
            *failure = ended.err();
        }
        work.as_mut().poll(context)
    })
    .await
}

/// A reader that fails once more was read than it should.
struct Bounded<R> {
    reader: R,
    left: Arc<AtomicU64>,
}

/// More came than a reply can have.
#[derive(Debug, thiserror::Error)]
#[error("the reply does not end")]
pub(super) struct Endless;

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(io::Error::other(Endless)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.reader).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        self.left.store(left.saturating_sub(read as u64), Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}
