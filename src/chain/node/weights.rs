//! Puts weights on chain in the way that the subnet wants them now, and reveals commits.

use std::time::Duration;

use sn1_actors::domain::{BlockNumber, Uid};
use sn1_actors::ports::{
    ChainError, Commitment, PendingReveal, PreparedWeights, SignedCall, WeightsCall, WeightsWay,
};

use super::calls::{Calls, Payload, WeightsVerb};
use super::commit_reveal::{Window, commit_hash, committed_epoch, reveal_round, window};
use super::epoch::Schedule;
use super::neuron;
use super::rules::{self, CommitReveal};
use super::session::{At, Session};
use super::signer::sign;
use super::submit::Sender;
use super::timelock::{TimelockPayload, encrypt};
use crate::wire::Keypair;

/// Drawn anew for every commit: without it the hash could be guessed.
pub type Salt = [u16; 8];

/// The version of timelocked commits that this program makes.
pub const TIMELOCK_VERSION: u16 = 4;

/// A salt of the system's randomness.
///
/// # Errors
/// The system gives none.
pub fn draw_salt() -> Result<Salt, getrandom::Error> {
    let mut salt = Salt::default();
    for word in &mut salt {
        let mut bytes = [0; 2];
        getrandom::fill(&mut bytes)?;
        *word = u16::from_le_bytes(bytes);
    }
    Ok(salt)
}

/// Signs a weight setting in the way that the subnet's rules want now; sends nothing. The salt is
/// for a commit.
///
/// # Errors
/// [`ChainError`]: not registered, too soon, or a runtime that lacks what its rules ask for.
pub async fn prepare_weights(
    session: &Session,
    key: &Keypair,
    call: &WeightsCall,
    salt: Salt,
) -> Result<PreparedWeights, ChainError> {
    let at = session.now().await?;
    let netuid = call.netuid;
    let uid = neuron::registered(session, &at, key, netuid).await?;
    match neuron::weights_wait(session, &at, netuid, uid).await? {
        0 => {}
        wait => return Err(ChainError::TooSoon { wait }),
    }
    let rules = rules::read_at(session, &at, netuid).await?.commit_reveal;
    let schedule = Schedule::read(session, &at, netuid).await?;
    let draft = Draft { session, at: &at, key, call, rules, schedule };
    let (way, payload) = draft.in_the_way_of_the_subnet(salt).await?;
    let signed = sign(session, &at, key, &payload, Some(&schedule)).await?;
    Ok(PreparedWeights { way, signed: Some(signed) })
}

/// How a subnet takes weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// In the open.
    Plain,
    /// Encrypted until a round of drand.
    Timelocked {
        /// The version of the commits, from 1.
        version: u16,
        /// Epochs from a commit to its reveal, from 1.
        period_epochs: u64,
    },
    /// As a hash that is revealed later.
    Committed,
}

impl Taking {
    /// By the subnet's rules and the calls that its runtime has; none where this program knows no way.
    #[must_use]
    pub fn of(calls: &Calls<'_>, rules: CommitReveal) -> Option<Self> {
        match rules {
            CommitReveal { enabled: false, .. } => {
                calls.can(WeightsVerb::Set).then_some(Self::Plain)
            }
            CommitReveal { version: version @ 1.., period_epochs: period_epochs @ 1.., .. }
                if calls.can(WeightsVerb::CommitTimelocked) =>
            {
                Some(Self::Timelocked { version, period_epochs })
            }
            CommitReveal { period_epochs: 1.., .. } if calls.can(WeightsVerb::Commit) => {
                Some(Self::Committed)
            }
            CommitReveal { .. } => None,
        }
    }
}

struct Draft<'a> {
    session: &'a Session,
    at: &'a At,
    key: &'a Keypair,
    call: &'a WeightsCall,
    rules: CommitReveal,
    schedule: Schedule,
}

impl Draft<'_> {
    async fn in_the_way_of_the_subnet(
        &self,
        salt: Salt,
    ) -> Result<(WeightsWay, Payload), ChainError> {
        let calls = Calls::of(self.at);
        if !self.rules.enabled {
            return Ok((WeightsWay::Plain, calls.set_weights(self.call)?));
        }
        match Taking::of(&calls, self.rules) {
            Some(Taking::Timelocked { version, period_epochs }) => {
                self.timelocked(&calls, version, period_epochs).await
            }
            Some(Taking::Committed) => self.committed(&calls, salt),
            Some(Taking::Plain) | None => Err(ChainError::Refused(format!(
                "subnet {} takes weights by commit and reveal, and its runtime (spec {}) has neither \
                 timelocked commits nor commits that are revealed by epochs: there is no way to set \
                 weights there with this program",
                self.call.netuid,
                self.at.spec_version()
            ))),
        }
    }

    fn committed(
        &self,
        calls: &Calls<'_>,
        salt: Salt,
    ) -> Result<(WeightsWay, Payload), ChainError> {
        let hash = commit_hash(self.key.public(), self.call, &salt);
        let next = BlockNumber(self.at.block_number().saturating_add(1));
        let epoch = self.schedule.epoch(next);
        let payload = calls.commit_weights(self.call.netuid, hash)?;
        Ok((WeightsWay::Commit(Commitment { salt: salt.to_vec(), epoch }), payload))
    }

    async fn timelocked(
        &self,
        calls: &Calls<'_>,
        version: u16,
        period: u64,
    ) -> Result<(WeightsWay, Payload), ChainError> {
        if version != TIMELOCK_VERSION {
            return Err(ChainError::Refused(format!(
                "subnet {} wants commit-reveal version {version}, this program makes version \
                 {TIMELOCK_VERSION}: update it",
                self.call.netuid
            )));
        }
        let round = reveal_round(self.session, self.at, &self.schedule, period).await?;
        let payload = TimelockPayload {
            hotkey: self.key.public(),
            uids: self.call.uids.iter().map(|uid| uid.0).collect(),
            values: self.call.values.clone(),
            version_key: self.call.version_key,
        };
        let commit = encrypt(&payload, round).map_err(|error| {
            ChainError::Refused(format!("the weights cannot be encrypted: {error}"))
        })?;
        let netuid = self.call.netuid;
        let payload = calls.commit_timelocked_weights(netuid, &commit, round, version)?;
        Ok((WeightsWay::Timelock { reveal_round: round }, payload))
    }
}

/// Sends what [`prepare_weights`] signed; resolves with the final block in which it took effect.
///
/// # Errors
/// [`ChainError`]; of these [`ChainError::Unreachable`] and [`ChainError::Outdated`] leave open
/// whether it will be in a block yet.
pub async fn submit_weights(
    session: &Session,
    key: &Keypair,
    call: &WeightsCall,
    signed: &SignedCall,
    deadline: Duration,
) -> Result<BlockNumber, ChainError> {
    let at = session.now().await?;
    Sender { session, key, netuid: call.netuid, deadline }.send(&at, signed).await
}

/// Reveals a commit (version 2), unless it is revealed already; resolves with the final block as of
/// which it is.
///
/// # Errors
/// [`ChainError::TooSoon`] before the epoch of the reveal, or where the node is behind the commit's
/// block, [`ChainError::TooLate`] after that epoch, and any other.
pub async fn reveal_weights(
    session: &Session,
    key: &Keypair,
    reveal: &PendingReveal,
    deadline: Duration,
) -> Result<BlockNumber, ChainError> {
    let at = session.now().await?;
    let head = BlockNumber(at.block_number());
    let PendingReveal { call, commitment, committed } = reveal;
    // A node that is behind the commit knows nothing of it: that is no word of its being over.
    if head < *committed {
        return Err(ChainError::TooSoon { wait: committed.0.saturating_sub(head.0) });
    }
    let netuid = call.netuid;
    let schedule = Schedule::read(session, &at, netuid).await?;
    let hash = commit_hash(key.public(), call, &commitment.salt);
    let epoch = committed_epoch(session, &at, &schedule, key.public(), netuid, hash).await?;
    let Some(epoch) = epoch else {
        return over(session, &at, key, call, "the chain has no such commit any more").await;
    };
    let rules = rules::read_at(session, &at, netuid).await?.commit_reveal;
    match window(&schedule, epoch, rules.period_epochs, head) {
        Window::Open => {}
        Window::Opens(wait) => return Err(ChainError::TooSoon { wait }),
        Window::Closed => {
            let late = "the epoch in which the commit could be revealed has passed";
            return over(session, &at, key, call, late).await;
        }
    }
    // Signing anew would not help, so what the chain says of it is not waited for.
    if !rules.enabled {
        return Err(ChainError::Refused(format!(
            "subnet {netuid} takes no commits any more, so that the weights committed in block \
             {committed} cannot be revealed unless its owner switches commit and reveal on again"
        )));
    }
    let payload = Calls::of(&at).reveal_weights(call, &commitment.salt)?;
    match (Sender { session, key, netuid, deadline }).sign_and_send(&at, &payload).await {
        // An earlier reveal may have got there between the look and this one.
        Err(ChainError::TooLate(why)) => {
            let at = session.now().await?;
            over(session, &at, key, call, &why).await
        }
        outcome => outcome,
    }
}

/// A commit is gone: it was revealed if the chain has its weights, else it is too late.
async fn over(
    session: &Session,
    at: &At,
    key: &Keypair,
    call: &WeightsCall,
    why: &str,
) -> Result<BlockNumber, ChainError> {
    let uid = neuron::registered(session, at, key, call.netuid).await?;
    let there = neuron::weights(session, at, call.netuid, uid).await?;
    if same_weights(&there, call) {
        return Ok(BlockNumber(at.block_number()));
    }
    Err(ChainError::TooLate(why.to_owned()))
}

/// Whether weights on chain are those of a call, in whatever order.
#[must_use]
pub fn same_weights(there: &[(Uid, u16)], call: &WeightsCall) -> bool {
    let mut there = there.to_vec();
    let mut ours: Vec<_> = call.uids.iter().copied().zip(call.values.iter().copied()).collect();
    there.sort_unstable();
    ours.sort_unstable();
    there == ours
}

#[cfg(test)]
mod tests {
    use sn1_actors::domain::Netuid;
    use subxt::dynamic::Value;

    use super::*;
    use crate::chain::node::commit_reveal::COMMITS;
    use crate::chain::node::storage::{Item, number};
    use crate::chain::node::testkit::{BLOCK, FakeNode, mainnet};

    const NETUID: Netuid = Netuid(1);

    #[tokio::test]
    async fn a_commit_on_a_subnet_that_takes_none_any_more_is_not_revealed_in_vain() {
        let Some(metadata) = mainnet() else { return };
        let node = FakeNode::new(metadata);
        let session = node.session().await;
        let at = session.now().await.unwrap();
        let key = Keypair::from_dev_uri("//Alice").unwrap();
        let call = WeightsCall {
            netuid: NETUID,
            uids: vec![Uid(1)],
            values: vec![u16::MAX],
            version_key: 0,
        };
        let commitment = Commitment { salt: vec![7], epoch: 0 };
        let hash = commit_hash(key.public(), &call, &commitment.salt);
        let subnet = |name| Item::new(name, [number(NETUID.0)]);
        node.store(&at, &subnet("Tempo"), &Value::u128(99));
        node.store(&at, &subnet("CommitRevealWeightsEnabled"), &Value::bool(false));
        // An epoch before this one, to be revealed after one epoch.
        let committed = BlockNumber(BLOCK - 100);
        let numbers = [committed.0, 0, 0].map(number);
        let entry = [Value::from_bytes(hash)].into_iter().chain(numbers);
        let commits = Value::unnamed_composite([Value::unnamed_composite(entry)]);
        let item = Item::new(COMMITS, [number(NETUID.0), Value::from_bytes(key.public())]);
        node.store(&at, &item, &commits);
        let reveal = PendingReveal { call, commitment, committed };
        // The node in memory takes no transaction: one that was sent would fail the test.
        let revealed = reveal_weights(&session, &key, &reveal, Duration::from_secs(9)).await;
        let Err(ChainError::Refused(why)) = revealed else { panic!("{revealed:?}") };
        assert!(why.contains("subnet 1 takes no commits any more"), "{why}");
    }
}
