//! One connection for one request, with a bound on all that is read from it.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::http::response::Parts;
use hyper::{Request, Response};
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

/// A connection to an axon. What it reads is bounded in all, dropped it hangs up, and only whoever
/// waits for it drives it: it needs no task of its own.
pub(super) struct Connection {
    address: SocketAddr,
    sender: http1::SendRequest<Full<Bytes>>,
    /// Nothing once it has ended.
    driver: Option<Box<Driver>>,
    /// How it ended, where the request itself was not told.
    failure: Option<hyper::Error>,
    body: Option<Incoming>,
    /// Bytes of the body so far, and the most that there may be.
    read: usize,
    limit: usize,
}

impl Connection {
    /// Connects, for a request of the named synapse whose reply has a body of up to `limit` bytes.
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
        let left = MAX_HEAD as u64 + (1 + FRAMING) * limit as u64;
        let wire = TokioIo::new(tokio::io::join(Bounded { reader, left }, writer));
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(wire)
            .await
            .map_err(|error| WireError::before_the_body(&error))?;
        let driver = Some(Box::new(driver));
        Ok(Self { address, sender, driver, failure: None, body: None, read: 0, limit })
    }

    /// Sends the request and waits for the head of the reply.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Parts, WireError> {
        let response = self.sender.send_request(request);
        let response = drive(&mut self.driver, &mut self.failure, response).await;
        let response: Response<Incoming> = response.map_err(|error| {
            let error = self.failure.as_ref().unwrap_or(&error);
            tracing::trace!(address = %self.address, ?error, "no reply");
            WireError::before_the_body(error)
        })?;
        let (parts, body) = response.into_parts();
        self.body = Some(body);
        Ok(parts)
    }

    /// The next bytes of the body, as they arrive; nothing at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, WireError> {
        let Some(body) = &mut self.body else { return Ok(None) };
        loop {
            let frame = drive(&mut self.driver, &mut self.failure, body.frame()).await;
            let Some(frame) = frame else { return Ok(None) };
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
    left: u64,
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
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other(Endless)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.reader).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        self.left = self.left.saturating_sub(read as u64);
        Poll::Ready(Ok(()))
    }
}
