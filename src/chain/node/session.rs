//! One connection to one node.

use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::BlockNumber;
use subxt::backend::LegacyBackend;
use subxt::client::{ClientAtBlock, OnlineClientAtBlockImpl};
use subxt::config::RpcConfigFor;
use subxt::config::substrate::{H256, SubstrateHeader};
use subxt::ext::jsonrpsee::ws_client::WsClientBuilder;
use subxt::rpcs::client::RpcSubscription;
use subxt::rpcs::{LegacyRpcMethods, RpcClient};
use subxt::{OnlineClient, SubstrateConfig};
use tokio::sync::watch;

use super::failure::Failure;

/// The chain as of one block, with the metadata of that block.
pub type At = ClientAtBlock<SubstrateConfig, OnlineClientAtBlockImpl<SubstrateConfig>>;

/// The node's own methods.
pub type Rpc = LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>;

/// The largest answer that is taken, in bytes: the largest block is 5 MiB, in hex digits 10 MiB.
const LARGEST_ANSWER: u32 = 16 << 20;
/// Blocks or other news of one subscription that may wait to be taken; a node that sends more at
/// once loses the subscription.
const UNREAD_NEWS: usize = 256;
/// Official nodes redirect at most from a path to another.
const REDIRECTIONS: usize = 2;
/// Characters of an error that are shown.
const LONGEST_CAUSE: usize = 300;

/// A connection; it is thrown away at the first sign of trouble.
///
/// Who has something to ask gets the session from the keeper each time, and keeps it no longer than
/// the question takes: the socket closes when the last one lets go of it.
pub struct Session {
    endpoint: String,
    rpc: RpcClient,
    client: OnlineClient<SubstrateConfig>,
    patience: Duration,
    /// Failures in a row, as users report them.
    strikes: watch::Sender<u32>,
    given_up: watch::Sender<bool>,
}

impl Session {
    /// Connects to the node at a `ws://` or `wss://` address. Nothing that is asked through the
    /// session waits longer than `patience`.
    ///
    /// # Errors
    /// [`Failure`] where nobody answers there, or not in time.
    pub async fn open(endpoint: &str, patience: Duration) -> Result<Self, Failure> {
        let what = "connecting";
        let opening = async {
            // The library waits longer than we do, so that there is one way to be late.
            let client = WsClientBuilder::new()
                .max_response_size(LARGEST_ANSWER)
                .connection_timeout(2 * patience)
                .request_timeout(2 * patience)
                .max_buffer_capacity_per_subscription(UNREAD_NEWS)
                .max_redirections(REDIRECTIONS)
                .build(endpoint)
                .await;
            let client = client.map_err(|e| Failure::Transport { what, cause: cause(&e) })?;
            Self::over(RpcClient::new(client), endpoint, patience).await
        };
        match tokio::time::timeout(patience, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(Failure::Late { what }),
        }
    }

    /// Connects to the first of the nodes that answers, for one question: each is tried once.
    ///
    /// # Errors
    /// [`Failure::Transport`] with what went wrong at each.
    pub async fn first(urls: &[String], patience: Duration) -> Result<Self, Failure> {
        let mut causes = Vec::new();
        for url in urls {
            match Self::open(url, patience).await {
                Ok(session) => return Ok(session),
                Err(failure) => causes.push(shown(&format!("{url}: {failure}"))),
            }
        }
        Err(Failure::Transport { what: "no node answers", cause: causes.join("; ") })
    }

    /// As [`Self::open`], over a connection that is there.
    ///
    /// # Errors
    /// [`Failure`] where the node does not say which chain it has.
    pub(super) async fn over(
        rpc: RpcClient,
        endpoint: &str,
        patience: Duration,
    ) -> Result<Self, Failure> {
        // The other backends fail on light development nodes (chain.md §4).
        let backend = LegacyBackend::builder().build(rpc.clone());
        let client = OnlineClient::from_backend(Arc::new(backend)).await;
        let client =
            client.map_err(|e| Failure::Transport { what: "connecting", cause: cause(&e) })?;
        let (strikes, given_up) = (watch::Sender::new(0), watch::Sender::new(false));
        Ok(Self { endpoint: endpoint.to_owned(), rpc, client, patience, strikes, given_up })
    }

    /// Where the node is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The hash of block 0, by which chains are told apart.
    #[must_use]
    pub fn genesis(&self) -> H256 {
        self.client.genesis_hash()
    }

    /// The node's methods, for what the client has no method of its own.
    #[must_use]
    pub fn rpc(&self) -> Rpc {
        LegacyRpcMethods::new(self.rpc.clone())
    }

    /// The chain as of its newest final block.
    ///
    /// # Errors
    /// [`Failure`] of the connection.
    pub async fn now(&self) -> Result<At, Failure> {
        self.bounded("the newest block", self.client.at_current_block()).await
    }

    /// The chain as of the block of that hash.
    ///
    /// # Errors
    /// [`Failure`] of the connection, or where the node does not have the block.
    pub(super) async fn at(&self, block: H256) -> Result<At, Failure> {
        self.bounded("a block's runtime", Box::pin(self.client.at_block(block))).await
    }

    /// The hash of the block of that number, as the node sees it; none where there is no such block.
    ///
    /// # Errors
    /// [`Failure`] of the connection.
    pub async fn block_hash(&self, block: BlockNumber) -> Result<Option<H256>, Failure> {
        let (rpc, number) = (self.rpc(), block.0.into());
        self.bounded("a block's hash", rpc.chain_get_block_hash(Some(number))).await
    }

    /// The headers of final blocks, as they come.
    ///
    /// # Errors
    /// [`Failure`] of the connection.
    pub(super) async fn heads(&self) -> Result<RpcSubscription<SubstrateHeader<H256>>, Failure> {
        let rpc = self.rpc();
        self.bounded("the final blocks", rpc.chain_subscribe_finalized_heads()).await
    }

    /// Waits for an answer no longer than the session's patience, and not at all once the session
    /// was given up.
    ///
    /// # Errors
    /// [`Failure::Late`], or what the client says as [`Failure::Transport`].
    pub async fn bounded<T, E: std::error::Error>(
        &self,
        what: &'static str,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let mut given_up = self.given_up.subscribe();
        tokio::select! {
            answer = tokio::time::timeout(self.patience, answer) => match answer {
                Ok(answer) => answer.map_err(|e| Failure::Transport { what, cause: cause(&e) }),
                Err(_) => Err(Failure::Late { what }),
            },
            // The session itself keeps the sender, so this resolves only when it is given up.
            _ = given_up.wait_for(|given_up| *given_up) => {
                let cause = format!("the connection to {} was given up", self.endpoint);
                Err(Failure::Transport { what, cause })
            }
        }
    }

    /// Notes whether a request was answered: so many in a row that were not are a reason to give the
    /// session up.
    pub(super) fn note(&self, answered: bool) {
        if answered {
            self.strikes.send_if_modified(|strikes| std::mem::take(strikes) > 0);
        } else {
            self.strikes.send_modify(|strikes| *strikes = strikes.saturating_add(1));
        }
    }

    /// Resolves when so many requests in a row have failed.
    pub(super) async fn struck(&self, limit: u32) {
        // The session itself keeps the sender.
        let _ = self.strikes.subscribe().wait_for(|strikes| *strikes >= limit).await;
    }

    /// Ends all requests under way, and refuses new ones.
    pub(super) fn give_up(&self) {
        self.given_up.send_replace(true);
    }
}

/// An error with what is behind it, in one line, cut, and without control characters: a node may
/// have written it.
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(source) = behind {
        let source_text = source.to_string();
        // Many errors repeat what is behind them.
        if !text.contains(&source_text) {
            text = format!("{text}: {source_text}");
        }
        behind = source.source();
    }
    shown(&text)
}

/// A text of a node's in one line, cut and without control characters.
pub(super) fn shown(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.take(LONGEST_CAUSE).collect()
}

#[cfg(test)]
mod tests;
