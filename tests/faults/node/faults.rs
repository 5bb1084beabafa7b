//! What can be wrong with a node, switched on and off while it runs.

use std::time::Duration;

/// The faults of a node; the default is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// What a new connection meets.
    pub door: Door,
    /// Half-open: it reads, and never answers. A connection that met this stays dead afterwards.
    pub mute: bool,
    /// How long each answer takes.
    pub slow: Duration,
    /// The socket is closed, without an answer, as soon as this method is called; once.
    pub hang_up_on: Option<&'static str>,
    /// The socket is closed as soon as a transaction was taken; once.
    pub cut_after_submit: Option<Cut>,
    /// What is wrong with the metadata.
    pub metadata: MetadataFault,
    /// The hash that block 0 is said to have: that of another chain.
    pub genesis: Option<[u8; 32]>,
    /// There is nothing at any storage key.
    pub empty_storage: bool,
    /// An account's nonce is answered with an error of this message.
    pub no_nonce: Option<&'static str>,
    /// Final blocks stay where they are; new best ones come.
    pub freeze_finality: bool,
    /// Transactions wait in the pool, in no block.
    pub hold_pool: bool,
}

/// What a new connection meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Door {
    /// The node.
    #[default]
    Open,
    /// Nothing: it is accepted, and never upgraded.
    Hangs,
    /// It is closed at once.
    Slams,
    /// This HTTP status, so many times; then the node.
    Answers {
        /// The status.
        status: u16,
        /// How often.
        times: usize,
    },
}

/// What becomes of a transaction whose sender lost the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is in the pool, and so in the next block.
    Kept,
    /// It is lost with the connection.
    Lost,
}

/// What is wrong with the metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MetadataFault {
    /// Nothing.
    #[default]
    None,
    /// It is noise.
    Garbage,
    /// Its second half is missing.
    Truncated,
}

/// What the node does next, whatever its rules say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scripted {
    /// The next transaction in a block fails with this error.
    Dispatch(&'static str),
    /// The next submission is refused with this.
    Pool {
        /// The code of the JSON-RPC error.
        code: i32,
        /// Its message.
        message: &'static str,
        /// What it says besides.
        data: &'static str,
    },
}
