//! How a request can fail, with the status that the SDK's dendrite reports for it.

use std::error::Error as _;
use std::net::SocketAddr;
use std::time::Duration;

use sn1_actors::domain::StatusCode;

use crate::wire::headers;
use crate::wire::synapse::{PROMPTING, python_float};

/// The longest message of an axon that is passed on, in characters.
const MAX_MESSAGE: usize = 256;

/// Why a miner gave no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WireError {
    /// Its address is not on the internet; nothing was sent.
    #[error("not asked: {0} is no public address")]
    Forbidden(SocketAddr),
    /// Nobody listens there.
    #[error("service unavailable at {0}/{PROMPTING}")]
    Unavailable(SocketAddr),
    /// It closed the connection without a reply.
    #[error("service disconnected without a reply")]
    Disconnected,
    /// The deadline passed, while connecting, waiting or reading.
    #[error("request timeout after {} seconds", python_float(.0.as_secs_f64()))]
    TimedOut(Duration),
    /// What came is not HTTP, or its head is too long.
    #[error("client response error: {0}")]
    BadResponse(String),
    /// The body ended early.
    #[error("payload error: response payload is not completed")]
    PayloadShort,
    /// The body is longer than we read.
    #[error("failed to parse response: the body is longer than {limit} bytes")]
    TooLong {
        /// The most that is read.
        limit: usize,
    },
    /// The body is no synapse.
    #[error("failed to parse response: {0}")]
    Malformed(String),
    /// The body is a synapse, but nothing says that it succeeded.
    #[error("failed to parse response: the reply carries no axon status code")]
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

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before the reply's head was complete.
    Head,
    /// Behind it.
    Body,
}

impl WireError {
    /// The status that stands for this failure in the SDK.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) | Self::Unavailable(_) | Self::Disconnected => {
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

    pub(super) fn of_http(address: SocketAddr, phase: Phase, error: &reqwest::Error) -> Self {
        if phase == Phase::Body {
            return Self::PayloadShort;
        }
        if error.is_connect() {
            return Self::Unavailable(address);
        }
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // The HTTP library hides its error type; its wording is all there is. A test holds it.
            if text.contains("parsed") || text.contains("too large") {
                return Self::BadResponse(headers::clean(&text, MAX_MESSAGE));
            }
            cause = inner.source();
        }
        Self::Disconnected
    }
}
