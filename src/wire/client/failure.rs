//! How a request can fail, with the status and the words that the SDK's dendrite has for it.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use sn1_actors::domain::StatusCode;

use super::connection::Endless;
use crate::wire::headers;
use crate::wire::synapse::python_float;

/// The longest message of an axon that is passed on, in characters.
const MAX_MESSAGE: usize = 256;

/// Why a miner gave no answer: wire.md §8, in the words of SDK 10.5.0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WireError {
    /// Its address is not on the internet, or our own; nothing was sent.
    #[error("Not asked: {0} is no public address of another machine")]
    Forbidden(SocketAddr),
    /// Nobody listens there.
    #[error("Service unavailable at {address}/{synapse}")]
    Unavailable {
        /// Where.
        address: SocketAddr,
        /// The path that was meant.
        synapse: &'static str,
    },
    /// It closed the connection without a reply.
    #[error("Service disconnected: Server disconnected")]
    Disconnected,
    /// The deadline passed, while connecting, waiting or reading.
    #[error("Request timeout after {} seconds", python_float(.0.as_secs_f64()))]
    TimedOut(Duration),
    /// What came is not HTTP, or its head is too long.
    #[error("Client response error: 400, message={0}")]
    BadResponse(String),
    /// The body ended early, or its chunks are none.
    #[error("Payload error: Response payload is not completed")]
    PayloadShort,
    /// The body is longer than we read.
    #[error("Failed to parse response: the body is longer than {limit} bytes")]
    TooLong {
        /// The most that is read.
        limit: usize,
    },
    /// The body is no synapse, or the stream no text.
    #[error("Failed to parse response: {0}")]
    Malformed(String),
    /// The body is a synapse, but nothing says that it succeeded.
    #[error("Failed to parse response: the reply carries no axon status code")]
    NoStatus,
    /// The axon says no, in its own words.
    #[error("{message}")]
    Refused {
        /// Its status code, never 200.
        status: u16,
        /// Its message, at most 256 characters of printable text.
        message: String,
    },
}

impl WireError {
    /// The status that stands for this failure in the SDK.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) | Self::Unavailable { .. } | Self::Disconnected => {
                StatusCode::UNAVAILABLE
            }
            Self::TimedOut(_) => StatusCode::TIMEOUT,
            Self::BadResponse(_) | Self::PayloadShort => StatusCode(400),
            Self::TooLong { .. } | Self::Malformed(_) | Self::NoStatus => StatusCode::MALFORMED,
            Self::Refused { status, .. } => StatusCode(*status),
        }
    }

    /// A refusal with the axon's message made fit to be shown.
    pub(super) fn refused(status: u16, message: &str) -> Self {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let message = message.chars().take(MAX_MESSAGE).map(plain).collect();
        Self::Refused { status, message }
    }

    /// Something that is no synapse, for a reason that may quote the reply.
    pub(super) fn malformed(reason: &str) -> Self {
        Self::Malformed(headers::clean(reason, MAX_MESSAGE))
    }

    /// A failure to connect.
    pub(super) fn unavailable(
        address: SocketAddr,
        synapse: &'static str,
        error: &io::Error,
    ) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::TimedOut => {}
            // This is hardly the miner's fault: too many open files, or no free port.
            _ => tracing::warn!(%address, %error, "no connection can be opened"),
        }
        Self::Unavailable { address, synapse }
    }

    /// A failure while the head of the reply was waited for.
    pub(super) fn before_the_body(error: &hyper::Error) -> Self {
        if is_endless(error) {
            return Self::BadResponse(Endless.to_string());
        }
        let hung_up = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        // What the socket itself reports is a reset, by whatever name.
        if hung_up || causes(error).any(|cause| cause.is::<io::Error>()) {
            return Self::Disconnected;
        }
        Self::BadResponse(headers::clean(&error.to_string(), MAX_MESSAGE))
    }

    /// A failure behind the head of the reply, whose body may have `limit` bytes.
    pub(super) fn in_the_body(error: &hyper::Error, limit: usize) -> Self {
        if is_endless(error) { Self::TooLong { limit } } else { Self::PayloadShort }
    }
}

fn causes<'a>(error: &'a hyper::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

fn is_endless(error: &hyper::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>()?.get_ref())
        .any(|inner| inner.is::<Endless>())
}
