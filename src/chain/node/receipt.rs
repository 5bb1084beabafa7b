//! What became of a transaction in a block.

use subxt::error::DispatchError;
use subxt::events::Phase;
use subxt::utils::H256;

use super::failure::Failure;
use super::refusal::Refusal;
use super::session::{At, Session, shown};

/// How a transaction ended that is in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did what it was to do.
    Done,
    /// It did nothing but use up its nonce.
    Refused(Refusal),
}

/// How the transaction of these bytes ended in a block; none where it is not in it.
///
/// # Errors
/// [`Failure`].
pub async fn ending(
    session: &Session,
    block: H256,
    bytes: &[u8],
) -> Result<Option<Ending>, Failure> {
    let rpc = session.rpc();
    let body = session.bounded("a block's body", rpc.chain_get_block(Some(block))).await?;
    let body = body.ok_or_else(|| garbled("a final block has no body".into()))?;
    let place = body.block.extrinsics.iter().position(|other| other.0 == bytes);
    let Some(place) = place else { return Ok(None) };
    let at = session.at(block).await?;
    events(session, &at, place).await.map(Some)
}

async fn events(session: &Session, at: &At, place: usize) -> Result<Ending, Failure> {
    let events = session.bounded("a block's events", at.events().fetch()).await?;
    for event in events.iter() {
        let event = event.map_err(|error| garbled(error.to_string()))?;
        let ours =
            matches!(event.phase(), Phase::ApplyExtrinsic(n) if usize::try_from(n) == Ok(place));
        if !ours || event.pallet_name() != "System" {
            continue;
        }
        match event.event_name() {
            "ExtrinsicSuccess" => return Ok(Ending::Done),
            "ExtrinsicFailed" => {
                let error = DispatchError::decode_from(event.field_bytes(), at.metadata());
                let error = error.map_err(|error| garbled(error.to_string()))?;
                return Ok(Ending::Refused(refusal(&error)?));
            }
            _ => {}
        }
    }
    Err(garbled("no event says how the transaction ended".into()))
}

fn refusal(error: &DispatchError) -> Result<Refusal, Failure> {
    match error {
        DispatchError::Module(error) => {
            let named = error.details().map_err(|error| garbled(error.to_string()))?;
            Ok(Refusal::Named {
                pallet: named.pallet.name().to_owned(),
                name: named.variant.name.clone(),
            })
        }
        error => Ok(Refusal::Other(shown(&error.to_string()))),
    }
}

fn garbled(cause: String) -> Failure {
    Failure::Garbled { what: "what became of the transaction".into(), cause: shown(&cause) }
}
