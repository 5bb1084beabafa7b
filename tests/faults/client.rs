//! A client that is not ours: subxt as it comes. What it reads from the node is what the node says.

use std::sync::Arc;

use subxt::backend::LegacyBackend;
use subxt::config::substrate::{AccountId32, MultiSignature};
use subxt::dynamic::Value;
use subxt::ext::scale_value::Composite;
use subxt::rpcs::RpcClient;
use subxt::tx::{DynamicPayload, Signer};
use subxt::{OnlineClient, SubstrateConfig};

use crate::node::{Account, Node};

/// A key that signs as Substrate does.
pub(crate) struct Key(schnorrkel::Keypair);

impl Key {
    /// The key of a seed whose bytes are all the same.
    #[must_use]
    pub(crate) fn of(seed: u8) -> Self {
        let secret = schnorrkel::MiniSecretKey::from_bytes(&[seed; 32]).unwrap();
        Self(secret.expand_to_keypair(schnorrkel::ExpansionMode::Ed25519))
    }

    /// Its public part.
    #[must_use]
    pub(crate) fn account(&self) -> Account {
        self.0.public.to_bytes()
    }
}

impl Signer<SubstrateConfig> for Key {
    fn account_id(&self) -> AccountId32 {
        AccountId32(self.account())
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(self.0.sign_simple(b"substrate", payload).to_bytes())
    }
}

/// Connects to a node.
pub(crate) async fn connect(node: &Node) -> OnlineClient<SubstrateConfig> {
    let rpc = RpcClient::from_insecure_url(node.url()).await.unwrap();
    let backend = LegacyBackend::builder().build(rpc);
    OnlineClient::from_backend(Arc::new(backend)).await.unwrap()
}

/// A setting of weights.
#[must_use]
pub(crate) fn set_weights(uids: &[u16], values: &[u16]) -> DynamicPayload<Composite<()>> {
    let list = |of: &[u16]| Value::unnamed_composite(of.iter().map(|&n| Value::u128(n.into())));
    let fields = [
        ("netuid", Value::u128(1)),
        ("dests", list(uids)),
        ("weights", list(values)),
        ("version_key", Value::u128(0)),
    ];
    subxt::dynamic::transaction("SubtensorModule", "set_weights", Composite::named(fields))
}
