//! How the dendrite reaches a miner.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::domain::{Hotkey, MinerReply, Query, Uid};

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxonTarget {
    /// Its slot, for logs.
    pub uid: Uid,
    /// The key it must hold: the request is signed for it.
    pub hotkey: Hotkey,
    /// Where it answers.
    pub address: SocketAddr,
}

/// Sends signed queries.
pub trait MinerTransport: Send + Sync {
    /// Asks one miner. Never later than `timeout`, never an error: failures are replies with the
    /// status codes of wire.md §8.
    fn ask(
        &self,
        target: AxonTarget,
        query: Arc<Query>,
        timeout: Duration,
    ) -> BoxFuture<'static, MinerReply>;
}
