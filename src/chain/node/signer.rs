//! Signs calls with a wallet's key.

use sn1_actors::domain::BlockNumber;
use sn1_actors::ports::SignedCall;
use subxt::SubstrateConfig;
use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::config::substrate::MultiSignature;
use subxt::tx::Signer;
use subxt::utils::AccountId32;

use super::calls::Payload;
use super::epoch::Schedule;
use super::failure::Failure;
use super::session::{At, Session};
use crate::wire::Keypair;

/// Blocks from the newest final one on in which a transaction may be included. A power of two, as
/// the chain wants it; finality lags a few blocks behind the blocks that are being made.
const MORTAL_BLOCKS: u64 = 16;

struct Key<'a>(&'a Keypair);

impl Signer<SubstrateConfig> for Key<'_> {
    fn account_id(&self) -> AccountId32 {
        account(self.0)
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(self.0.sign_bytes(payload))
    }
}

/// The account of a key.
#[must_use]
pub fn account(key: &Keypair) -> AccountId32 {
    AccountId32(key.public())
}

/// Signs a call with the account's next nonce, for the blocks after the newest final one. Without a
/// schedule an epoch is taken to end with the transaction's life.
///
/// # Errors
/// [`Failure`] of the connection; [`Failure::Missing`] where the runtime takes other values.
pub async fn sign(
    session: &Session,
    at: &At,
    key: &Keypair,
    call: &Payload,
    schedule: Option<&Schedule>,
) -> Result<SignedCall, Failure> {
    let rpc = session.rpc();
    let account = account(key);
    let next = rpc.system_account_next_index(&account);
    let nonce = session.bounded("the account's next nonce", next).await?;
    let newest = at.block_number();
    let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
        .nonce(nonce)
        .mortal_from_unchecked(MORTAL_BLOCKS, newest, at.block_hash())
        .build();
    let unfit = |error: subxt::error::ExtrinsicError| Failure::Missing {
        spec: at.spec_version(),
        item: format!("{}.{} of our values ({error})", call.pallet_name(), call.call_name()),
    };
    let mut signable = at.tx().create_signable_offline(call, params).map_err(unfit)?;
    let signed = signable.sign(&Key(key)).map_err(unfit)?;
    let death = newest.saturating_add(MORTAL_BLOCKS);
    let last = BlockNumber(death.saturating_sub(1));
    Ok(SignedCall {
        extrinsic: format!("0x{}", hex::encode(signed.encoded())),
        nonce,
        birth: BlockNumber(newest.saturating_add(1)),
        death: BlockNumber(death),
        epoch_end: schedule.map_or(BlockNumber(death), |schedule| schedule.next_after(last)),
    })
}
