//! One connection to one node.

use std::sync::Arc;
use std::time::Duration;

use subxt::backend::LegacyBackend;
use subxt::client::{ClientAtBlock, OnlineClientAtBlockImpl};
use subxt::rpcs::{LegacyRpcMethods, RpcClient};
use subxt::{OnlineClient, SubstrateConfig};

use super::failure::Failure;

/// The chain as of one block, with the metadata of that block.
pub type At = ClientAtBlock<SubstrateConfig, OnlineClientAtBlockImpl<SubstrateConfig>>;

/// A connection; it is thrown away at the first sign of trouble.
pub struct Session {
    endpoint: String,
    rpc: RpcClient,
    client: OnlineClient<SubstrateConfig>,
    patience: Duration,
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
            let rpc = RpcClient::from_insecure_url(endpoint).await.map_err(|e| e.to_string())?;
            // The other backends fail on light development nodes (chain.md §4).
            let backend = LegacyBackend::builder().build(rpc.clone());
            let client = OnlineClient::from_backend(Arc::new(backend)).await;
            Ok((rpc, client.map_err(|e| e.to_string())?))
        };
        match tokio::time::timeout(patience, opening).await {
            Ok(Ok((rpc, client))) => {
                Ok(Self { endpoint: endpoint.to_owned(), rpc, client, patience })
            }
            Ok(Err(cause)) => Err(Failure::Transport { what, cause }),
            Err(_) => Err(Failure::Late { what }),
        }
    }

    /// Where the node is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The node's methods, for what the client has no method of its own.
    #[must_use]
    pub fn rpc(&self) -> LegacyRpcMethods<subxt::config::RpcConfigFor<SubstrateConfig>> {
        LegacyRpcMethods::new(self.rpc.clone())
    }

    /// The chain as of its newest final block.
    ///
    /// # Errors
    /// [`Failure`] of the connection.
    pub async fn now(&self) -> Result<At, Failure> {
        self.bounded("the newest block", self.client.at_current_block()).await
    }

    /// Waits for an answer no longer than the session's patience.
    ///
    /// # Errors
    /// [`Failure::Late`], or what the client says as [`Failure::Transport`].
    pub async fn bounded<T, E: std::fmt::Display>(
        &self,
        what: &'static str,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => {
                answer.map_err(|error| Failure::Transport { what, cause: error.to_string() })
            }
            Err(_) => Err(Failure::Late { what }),
        }
    }
}
