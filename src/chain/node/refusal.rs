//! Why the chain did not take a call, by name, and what a caller does about it.
//!
//! Runtimes number their errors differently, so none is known by its number. Names that changed are
//! listed under both (chain.md §2). What is not in the list is shown as the chain says it.

use sn1_actors::domain::Netuid;
use sn1_actors::ports::ChainError;

use super::neuron;
use super::session::{At, Session, shown};
use super::storage::PALLET;
use crate::wire::Keypair;

/// What the chain has against a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A pallet's error, by the names in the metadata.
    #[error("{pallet}.{name}")]
    Named {
        /// The pallet.
        pallet: String,
        /// The error.
        name: String,
    },
    /// Anything else, as the node or the client says it.
    #[error("{0}")]
    Other(String),
}

/// What a caller does about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Tries again when the time has come.
    Wait(Pace),
    /// Registers the hotkey.
    Register,
    /// Gets more stake.
    Stake,
    /// Gives up what the call is about.
    GiveUp(&'static str),
    /// Signs anew: what was true when the call was signed is not any more. What changed.
    SignAnew(&'static str),
    /// Changes something: trying again does not help. What is wrong, and the next step.
    Change(&'static str),
}

/// What makes a call come too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// `WeightsSetRateLimit` after the last weights or commit.
    Weights,
    /// `ServingRateLimit` after the last publication of the axon.
    Serving,
    /// Others register: there is room in a later block.
    Registrations,
    /// The epoch of the reveal is yet to begin.
    Reveal,
}

use Reaction::{Change, GiveUp, Register, SignAnew, Stake, Wait};

/// The errors that our calls meet. An error name of subtensor's pallet, and the reaction to it.
pub const REACTIONS: &[(&str, Reaction)] = &[
    ("SettingWeightsTooFast", Wait(Pace::Weights)),
    ("CommittingWeightsTooFast", Wait(Pace::Weights)),
    ("RevealTooEarly", Wait(Pace::Reveal)),
    ("ServingRateLimitExceeded", Wait(Pace::Serving)),
    ("TooManyRegistrationsThisBlock", Wait(Pace::Registrations)),
    ("TooManyRegistrationsThisInterval", Wait(Pace::Registrations)),
    ("HotKeyNotRegisteredInSubNet", Register),
    ("HotKeyNotRegisteredInNetwork", Register),
    ("NotRegistered", Register),
    ("NeuronNoValidatorPermit", Stake),
    ("NoValidatorPermit", Stake),
    ("NotEnoughStakeToSetWeights", Stake),
    ("NotEnoughStake", Stake),
    ("ExpiredWeightCommit", GiveUp("the epoch in which the commit could be revealed has passed")),
    ("NoWeightsCommitFound", GiveUp("the chain has no commit of this hotkey any more")),
    (
        "InvalidRevealCommitHashNotMatch",
        GiveUp("the chain has no commit of these weights with this salt"),
    ),
    ("IncorrectWeightVersionKey", Change(VERSION_KEY)),
    ("IncorrectNetworkVersionKey", Change(VERSION_KEY)),
    ("WeightVecLengthIsLow", Change("there are fewer weights than the subnet's MinAllowedWeights")),
    (
        "NotSettingEnoughWeights",
        Change("there are fewer weights than the subnet's MinAllowedWeights"),
    ),
    ("MaxWeightExceeded", Change("one weight is more than the subnet's MaxWeightsLimit")),
    ("UidVecContainInvalidOne", Change(UNKNOWN_UID)),
    ("InvalidUid", Change(UNKNOWN_UID)),
    ("DuplicateUids", Change("a uid is in the weights twice: name each once")),
    (
        "WeightVecNotEqualSize",
        Change("there are more uids than weights, or fewer: give each uid one"),
    ),
    (
        "UidsLengthExceedUidsInSubNet",
        Change("there are more weights than neurons: look at `sn1 metagraph`"),
    ),
    ("TooManyUids", Change("there are more weights than neurons: look at `sn1 metagraph`")),
    (
        "CommitRevealEnabled",
        SignAnew(
            "the subnet's rules have just changed, it takes weights by commit and reveal only",
        ),
    ),
    ("CommitRevealDisabled", SignAnew("the subnet's rules have just changed, it takes no commits")),
    (
        "TooManyUnrevealedCommits",
        Change("ten commits wait to be revealed: reveal them or wait until they expire"),
    ),
    (
        "IncorrectCommitRevealVersion",
        Change("the subnet wants another version of commit-reveal: update the program"),
    ),
    (
        "InvalidRevealRound",
        SignAnew("the round of drand for which the weights are encrypted has come out meanwhile"),
    ),
    (
        "CanNotSetRootNetworkWeights",
        Change("the root network takes no weights: name a subnet with --netuid"),
    ),
    ("SubNetworkDoesNotExist", Change(NO_SUBNET)),
    ("SubnetNotExists", Change(NO_SUBNET)),
    ("NetworkDoesNotExist", Change(NO_SUBNET)),
    ("MechanismDoesNotExist", Change(NO_SUBNET)),
    (
        "InvalidIpAddress",
        Change("the chain takes no such address: publish a public one with --axon.external_ip"),
    ),
    (
        "InvalidIpType",
        Change("the chain takes no such address: publish a public one with --axon.external_ip"),
    ),
    ("InvalidPort", Change("the chain takes no such port: publish one with --axon.external_port")),
    ("HotKeyAlreadyRegisteredInSubNet", Change("the hotkey is registered on the subnet already")),
    ("AlreadyRegistered", Change("the hotkey is registered on the subnet already")),
    ("SubNetRegistrationDisabled", Change("the subnet takes no registrations")),
    ("RegistrationDisabled", Change("the subnet takes no registrations")),
    (
        "RegistrationNotPermittedOnRootSubnet",
        Change("the root network takes no such registration: name a subnet with --netuid"),
    ),
    (
        "NonAssociatedColdKey",
        Change("the hotkey belongs to another coldkey: take the coldkey that registered it"),
    ),
    (
        "RegistrationPriceLimitExceeded",
        Change("the price has risen above the limit: look again, or raise --max-burn"),
    ),
    ("NoNeuronIdAvailable", Change("every neuron of the subnet is immune now: try again later")),
    ("NotEnoughBalanceToStake", Change(NO_BALANCE)),
    ("BalanceWithdrawalError", Change(NO_BALANCE)),
    ("ZeroBalanceAfterWithdrawn", Change(NO_BALANCE)),
];

const VERSION_KEY: &str = "the subnet wants a newer version of the program: update it";
const UNKNOWN_UID: &str = "a uid in the weights is no neuron's: look at `sn1 metagraph`";
const NO_SUBNET: &str = "there is no such subnet: look at --netuid and at the network";
const NO_BALANCE: &str = "the coldkey has too little TAO: transfer some to it";

impl Refusal {
    /// An error of subtensor's pallet.
    #[must_use]
    pub fn of_subtensor(name: &str) -> Self {
        Self::Named { pallet: PALLET.to_owned(), name: name.to_owned() }
    }

    /// What a caller does about it; none where it is not known.
    #[must_use]
    pub fn reaction(&self) -> Option<Reaction> {
        let Self::Named { pallet, name } = self else { return None };
        if pallet != PALLET {
            return None;
        }
        REACTIONS.iter().find(|(known, _)| known == name).map(|(_, reaction)| *reaction)
    }

    /// The refusal of a hotkey's call, as of a block, in the port's terms. Where the call was too
    /// soon it looks how long to wait, and says one block where that cannot be found out.
    pub async fn explain(
        &self,
        session: &Session,
        at: &At,
        key: &Keypair,
        netuid: Netuid,
    ) -> ChainError {
        match self.reaction() {
            None => ChainError::Refused(shown(&self.to_string())),
            Some(Wait(pace)) => {
                let wait = neuron::wait(session, at, key, netuid, pace).await;
                ChainError::TooSoon { wait: wait.unwrap_or(1).max(1) }
            }
            Some(Register) => ChainError::NotRegistered(key.hotkey()),
            Some(Stake) => ChainError::NoPermit(key.hotkey()),
            Some(GiveUp(why)) => ChainError::TooLate(format!("{why} ({self})")),
            Some(SignAnew(why)) => ChainError::Outdated(format!("{why} ({self})")),
            Some(Change(what)) => ChainError::Refused(format!("{what} ({self})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ecosystem.md §5.4, and the old names of chain.md §2.
    const MUST_KNOW: &[&str] = &[
        "SettingWeightsTooFast",
        "NeuronNoValidatorPermit",
        "NotEnoughStakeToSetWeights",
        "IncorrectWeightVersionKey",
        "IncorrectNetworkVersionKey",
        "HotKeyNotRegisteredInSubNet",
        "NotRegistered",
        "WeightVecLengthIsLow",
        "MaxWeightExceeded",
        "UidVecContainInvalidOne",
        "InvalidUid",
        "DuplicateUids",
        "WeightVecNotEqualSize",
        "UidsLengthExceedUidsInSubNet",
        "CommitRevealEnabled",
        "CommitRevealDisabled",
        "CommittingWeightsTooFast",
        "TooManyUnrevealedCommits",
        "RevealTooEarly",
        "ExpiredWeightCommit",
        "NoWeightsCommitFound",
        "InvalidRevealCommitHashNotMatch",
        "IncorrectCommitRevealVersion",
        "HotKeyAlreadyRegisteredInSubNet",
        "AlreadyRegistered",
    ];

    #[test]
    fn every_error_that_our_calls_meet_has_a_reaction_and_only_one() {
        for name in MUST_KNOW {
            assert!(Refusal::of_subtensor(name).reaction().is_some(), "{name}");
        }
        let mut names: Vec<_> = REACTIONS.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), REACTIONS.len());
    }

    #[test]
    fn another_pallets_error_of_the_same_name_is_not_ours() {
        let other = Refusal::Named { pallet: "Commitments".into(), name: "NotRegistered".into() };
        assert_eq!(other.reaction(), None);
        assert_eq!(other.to_string(), "Commitments.NotRegistered");
    }
}
