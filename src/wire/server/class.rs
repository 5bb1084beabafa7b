//! Which synapse a path names.

use crate::wire::body_hash;
use crate::wire::synapse::{PING, PROMPTING, REQUIRED, STREAM_PROMPTING};

/// A class of synapse that this axon answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// SN1's, answered in one piece.
    Prompting,
    /// SN1's, answered piece by piece.
    StreamPrompting,
    /// The SDK's bare one.
    Ping,
}

impl Class {
    pub(super) const ALL: [Self; 3] = [Self::Ping, Self::Prompting, Self::StreamPrompting];

    /// The name that is its path too.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Prompting => PROMPTING,
            Self::StreamPrompting => STREAM_PROMPTING,
            Self::Ping => PING,
        }
    }

    /// The fields without a default, each of which has a header.
    pub(super) fn required(self) -> &'static [&'static str] {
        match self {
            Self::Prompting | Self::StreamPrompting => &REQUIRED,
            Self::Ping => &[],
        }
    }

    /// The body hash of a synapse of which only the headers are known.
    pub(super) fn empty_hash(self) -> String {
        match self {
            Self::Prompting | Self::StreamPrompting => body_hash::of_messages(&[]),
            Self::Ping => body_hash::of_nothing(),
        }
    }
}

/// What a path leads to.
pub(super) enum Route {
    /// A synapse.
    To(Class),
    /// The first segment is no synapse's name.
    Unknown(String),
    /// There is more behind the name.
    TooDeep,
}

impl Route {
    pub(super) fn of(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (name, deeper) = match path.split_once('/') {
            Some((name, _)) => (name, true),
            None => (path, false),
        };
        match Class::ALL.into_iter().find(|class| class.name() == name) {
            Some(_) if deeper => Self::TooDeep,
            Some(class) => Self::To(class),
            None => Self::Unknown(name.chars().take(64).collect()),
        }
    }
}
