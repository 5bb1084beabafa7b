//! Registers a hotkey on a subnet, for TAO that is burned.

use std::time::Duration;

use sn1_actors::domain::{BlockNumber, Netuid};
use sn1_actors::ports::ChainError;
use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;

use super::calls::Calls;
use super::failure::Failure;
use super::session::{At, Session};
use super::storage;
use super::submit::Sender;
use crate::wire::Keypair;

pub(super) const BURN: &str = "Burn";
/// An item of another pallet.
pub(super) const ACCOUNT: (&str, &str) = ("System", "Account");

/// What a registration on a subnet burns as of a block, in rao (1e-9 TAO).
///
/// # Errors
/// [`Failure`].
pub async fn cost(session: &Session, at: &At, netuid: Netuid) -> Result<u64, Failure> {
    storage::needed(session, at, BURN, vec![storage::number(netuid.0)]).await
}

/// What an account can spend as of a block, in rao; 0 where there is no such account.
///
/// # Errors
/// [`Failure`].
pub async fn balance(session: &Session, at: &At, account: [u8; 32]) -> Result<u64, Failure> {
    let key = vec![Value::from_bytes(account)];
    let account: Option<Account> = storage::elsewhere(session, at, ACCOUNT, key).await?;
    Ok(account.map_or(0, |account| account.data.free))
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Account {
    data: AccountData,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AccountData {
    free: u64,
}

/// Whether the runtime lets a buyer name a limit to the price.
#[must_use]
pub fn is_bounded(at: &At) -> bool {
    Calls::of(at).can_limit_price()
}

/// Registers a hotkey, signed and paid by a coldkey; resolves with the final block. Where the runtime
/// lets a buyer name a limit, it costs at most `most` rao; elsewhere what it costs in that block.
///
/// # Errors
/// [`ChainError`].
pub async fn register(
    session: &Session,
    coldkey: &Keypair,
    hotkey: [u8; 32],
    netuid: Netuid,
    most: u64,
    deadline: Duration,
) -> Result<BlockNumber, ChainError> {
    let at = session.now().await?;
    let call = Calls::of(&at).register(netuid, hotkey, most)?;
    Sender { session, key: coldkey, netuid, deadline }.sign_and_send(&at, &call).await
}
