//! One neuron on a subnet: whether it is registered, where it answers, and how long it has to wait.

use std::net::SocketAddr;
use std::time::Duration;

use sn1_actors::domain::{BlockNumber, Netuid, Uid};
use sn1_actors::ports::ChainError;
use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;

use super::calls::{Calls, ip_number};
use super::failure::Failure;
use super::refusal::Pace;
use super::session::{At, Session};
use super::storage::{self, Item};
use super::submit::Sender;
use crate::wire::{Keypair, PROTOCOL_VERSION};

pub(super) const UIDS: &str = "Uids";
pub(super) const AXONS: &str = "Axons";
pub(super) const WEIGHTS: &str = "Weights";
pub(super) const LAST_UPDATE: &str = "LastUpdate";
pub(super) const SERVING_LIMIT: &str = "ServingRateLimit";
pub(super) const WEIGHTS_LIMIT: &str = "WeightsSetRateLimit";

/// What an axon entry says of its program: the version of the SDK whose wire we speak.
const AXON_VERSION: u32 = PROTOCOL_VERSION as u32;

/// The uid of a key on a subnet; none where it is not registered there.
///
/// # Errors
/// [`Failure`].
pub async fn uid(
    session: &Session,
    at: &At,
    netuid: Netuid,
    key: [u8; 32],
) -> Result<Option<Uid>, Failure> {
    let keys = vec![storage::number(netuid.0), Value::from_bytes(key)];
    let uid: Option<u16> = storage::value(session, at, UIDS, keys).await?;
    Ok(uid.map(Uid))
}

/// The uid of a hotkey that has to be on the subnet for what it is about to do.
///
/// # Errors
/// [`ChainError::NotRegistered`] where it is not, and those of the connection.
pub(super) async fn registered(
    session: &Session,
    at: &At,
    key: &Keypair,
    netuid: Netuid,
) -> Result<Uid, ChainError> {
    let uid = uid(session, at, netuid, key.public()).await?;
    uid.ok_or_else(|| ChainError::NotRegistered(key.hotkey()))
}

/// Where the chain has the weights of a uid.
pub(super) fn weights_item(netuid: Netuid, uid: Uid) -> Item {
    Item::new(WEIGHTS, [storage::number(netuid.0), storage::number(uid.0)])
}

/// The weights that the chain has of a uid: whom they are for, and how much.
///
/// # Errors
/// [`Failure`].
pub async fn weights(
    session: &Session,
    at: &At,
    netuid: Netuid,
    uid: Uid,
) -> Result<Vec<(Uid, u16)>, Failure> {
    let values = storage::read(session, at, &[weights_item(netuid, uid)]).await?;
    let weights: Vec<(u16, u16)> = values.need(0)?;
    Ok(weights.into_iter().map(|(uid, value)| (Uid(uid), value)).collect())
}

/// The block in which a uid last set or committed weights; none where it never did.
///
/// # Errors
/// [`Failure`].
pub async fn last_update(
    session: &Session,
    at: &At,
    netuid: Netuid,
    uid: Uid,
) -> Result<Option<BlockNumber>, Failure> {
    let key = vec![storage::number(netuid.0)];
    let all: Vec<u64> = storage::needed(session, at, LAST_UPDATE, key).await?;
    let block = all.get(usize::from(uid.0)).copied().unwrap_or(0);
    Ok(Some(block).filter(|block| *block > 0).map(BlockNumber))
}

/// How many blocks a key has to wait until the chain lets a call through; none where it need not, or
/// where it cannot be found out.
pub async fn wait(
    session: &Session,
    at: &At,
    key: &Keypair,
    netuid: Netuid,
    pace: Pace,
) -> Option<u64> {
    match pace {
        Pace::Weights => {
            let uid = uid(session, at, netuid, key.public()).await.ok()??;
            weights_wait(session, at, netuid, uid).await.ok()
        }
        Pace::Serving => {
            let limit = vec![storage::number(netuid.0)];
            let limit = storage::needed(session, at, SERVING_LIMIT, limit).await.ok()?;
            let axon = axon(session, at, netuid, key.public()).await.ok()??;
            Some(left(at, Some(BlockNumber(axon.block)), limit))
        }
        // The window of a reveal is looked up before it is sent: only its edge can be met.
        Pace::Registrations | Pace::Reveal => None,
    }
}

/// How many blocks a uid has to wait until it may set or commit weights.
///
/// # Errors
/// [`Failure`].
pub async fn weights_wait(
    session: &Session,
    at: &At,
    netuid: Netuid,
    uid: Uid,
) -> Result<u64, Failure> {
    let key = vec![storage::number(netuid.0)];
    let limit = storage::needed(session, at, WEIGHTS_LIMIT, key).await?;
    let last = last_update(session, at, netuid, uid).await?;
    Ok(left(at, last, limit))
}

/// Blocks to wait until the next block is `limit` after the last call.
fn left(at: &At, last: Option<BlockNumber>, limit: u64) -> u64 {
    let next = at.block_number().saturating_add(1);
    last.map_or(0, |last| last.0.saturating_add(limit).saturating_sub(next))
}

/// An axon as it is published; fields that are not looked at are left out.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Published {
    block: u64,
    ip: u128,
    port: u16,
    ip_type: u8,
    version: u32,
}

async fn axon(
    session: &Session,
    at: &At,
    netuid: Netuid,
    key: [u8; 32],
) -> Result<Option<Published>, Failure> {
    let keys = vec![storage::number(netuid.0), Value::from_bytes(key)];
    storage::value(session, at, AXONS, keys).await
}

/// Publishes where the axon of a key answers, unless the chain says so already. Waits no longer than
/// `deadline` for the final block.
///
/// # Errors
/// [`ChainError`].
pub async fn serve_axon(
    session: &Session,
    key: &Keypair,
    netuid: Netuid,
    address: SocketAddr,
    deadline: Duration,
) -> Result<(), ChainError> {
    let at = session.now().await?;
    registered(session, &at, key, netuid).await?;
    let (ip, ip_type) = ip_number(address.ip());
    let there = axon(session, &at, netuid, key.public()).await?;
    if there.is_some_and(|there| {
        (there.ip, there.ip_type, there.port, there.version)
            == (ip, ip_type, address.port(), AXON_VERSION)
    }) {
        return Ok(());
    }
    let call = Calls::of(&at).serve_axon(netuid, address, AXON_VERSION)?;
    Sender { session, key, netuid, deadline }.sign_and_send(&at, &call).await?;
    Ok(())
}
