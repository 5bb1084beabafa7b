//! Follows what `sn1 weights set` has sent until its outcome is known, whatever becomes of
//! connections. A node that stays away is waited for: only the person who started it knows better.

use std::time::Duration;

use sn1_actors::domain::BlockNumber;
use sn1_actors::ports::{ChainError, Inclusion, PendingReveal, SignedCall, WeightsCall};

use super::super::chain::Node;
use super::super::{consent, one_actor};
use crate::chain::node::endpoint::Endpoints;
use crate::chain::node::search::{Found, look_for};
use crate::chain::node::signer::account;
use crate::chain::node::weights::{reveal_weights, submit_weights};
use crate::exit::{Ended, Exit};
use crate::wire::Keypair;

/// An era is 16 blocks of 12 seconds, and finality takes a few blocks more.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks: half a block.
const LOOK: Duration = Duration::from_secs(6);

/// Who sends, and by which node.
pub(super) struct Follow<'a> {
    /// The chain's nodes.
    pub(super) endpoints: &'a Endpoints,
    /// The one that is connected.
    pub(super) node: Node,
    /// Who signs.
    pub(super) key: &'a Keypair,
}

impl Follow<'_> {
    /// Sends a setting, and resolves with the final block that it is in.
    pub(super) async fn sent(
        &mut self,
        call: &WeightsCall,
        signed: &SignedCall,
    ) -> Result<BlockNumber, Ended> {
        match submit_weights(&self.node.session, self.key, call, signed, PATIENCE).await {
            Ok(block) => Ok(block),
            Err(error @ (ChainError::Unreachable(_) | ChainError::Outdated(_))) => {
                tracing::warn!("{error}; looking whether the weights are on chain all the same");
                self.found(signed).await
            }
            Err(error) => Err(consent::ended(error)),
        }
    }

    /// Looks until the bytes are in a final block or cannot be any more.
    async fn found(&mut self, signed: &SignedCall) -> Result<BlockNumber, Ended> {
        let clock = one_actor::overseer().clock();
        loop {
            match look_for(&self.node.session, signed, &account(self.key)).await {
                Ok(found) => {
                    if let Some(outcome) = outcome(&found, signed) {
                        return outcome.map_err(|why| Ended::new(Exit::Failed, why));
                    }
                }
                Err(failure) => self.connect_again(&failure.to_string()).await,
            }
            clock.sleep(LOOK).await;
        }
    }

    /// Tries until the commit is revealed or cannot be any more.
    pub(super) async fn revealed(&mut self, reveal: &PendingReveal) -> Result<BlockNumber, Ended> {
        let clock = one_actor::overseer().clock();
        loop {
            match reveal_weights(&self.node.session, self.key, reveal, PATIENCE).await {
                Ok(block) => return Ok(block),
                Err(ChainError::TooSoon { .. } | ChainError::Outdated(_)) => {}
                Err(ChainError::Unreachable(why)) => self.connect_again(&why).await,
                Err(error) => return Err(consent::ended(error)),
            }
            clock.sleep(LOOK).await;
        }
    }

    /// Another connection, if there is one; otherwise the old one fails again.
    async fn connect_again(&mut self, why: &str) {
        tracing::warn!("{why}; connecting again");
        if let Ok(again) = Node::connect(self.endpoints).await {
            self.node = again;
        }
    }
}

/// What a look says of a setting for good: its block, or why it is in none. None as long as that
/// may change.
fn outcome(found: &Found, signed: &SignedCall) -> Option<Result<BlockNumber, String>> {
    let over = found.sighting.as_of >= signed.death;
    let never = match found.sighting.inclusion {
        Inclusion::Included(block) => return Some(Ok(block)),
        Inclusion::Failed => {
            let why = found.refusal.as_ref().map(|refusal| format!(": {refusal}"));
            let why = why.unwrap_or_default();
            format!("the chain refused the weights in a block{why}; nothing is set: try again")
        }
        Inclusion::Overtaken => {
            "the weights are not on chain: another transaction of the hotkey took their place".into()
        }
        Inclusion::NotYet if over => {
            "the weights are not on chain: no block took them in time; set them again".into()
        }
        Inclusion::Unknown if over => {
            "nobody can tell whether the weights are on chain: the node no longer has the blocks in \
             question; see `sn1 weights show`"
                .into()
        }
        Inclusion::NotYet | Inclusion::Unknown => return None,
    };
    Some(Err(never))
}

#[cfg(test)]
mod tests {
    use sn1_actors::ports::Sighting;

    use super::*;

    fn outcome_at(as_of: u64, inclusion: Inclusion) -> Option<Result<BlockNumber, String>> {
        let signed = SignedCall {
            extrinsic: "0x00".into(),
            nonce: 7,
            birth: BlockNumber(101),
            death: BlockNumber(117),
            epoch_end: BlockNumber(200),
        };
        let sighting = Sighting { as_of: BlockNumber(as_of), inclusion };
        outcome(&Found { sighting, refusal: None }, &signed)
    }

    #[test]
    fn a_setting_is_looked_for_as_long_as_a_block_may_take_it() {
        for open in [Inclusion::NotYet, Inclusion::Unknown] {
            assert_eq!(outcome_at(116, open), None, "{open:?}");
            assert!(matches!(outcome_at(117, open), Some(Err(_))), "{open:?}");
        }
    }

    #[test]
    fn what_is_known_for_good_is_not_waited_for() {
        let there = Inclusion::Included(BlockNumber(110));
        assert_eq!(outcome_at(110, there), Some(Ok(BlockNumber(110))));
        for never in [Inclusion::Failed, Inclusion::Overtaken] {
            assert!(matches!(outcome_at(110, never), Some(Err(_))), "{never:?}");
        }
    }
}
