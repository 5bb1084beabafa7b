//! The rules of a subnet for weights, as the chain has them now.
//!
//! Only what every setting of weights needs is read here: a rule that a future runtime drops must not
//! stop what does not need it. What else a call wants to know it reads for itself.

use sn1_actors::domain::{Hyperparameters, Netuid};
use subxt::ext::scale_decode::DecodeAsType;

use super::failure::Failure;
use super::session::{At, Session};
use super::storage::{self, Item, Values};

/// What the chain asks of those who set weights on a subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubnetRules {
    /// The rules for weights.
    pub weights: Hyperparameters,
    /// Whether weights are hidden first.
    pub commit_reveal: CommitReveal,
}

/// Whether and how weights are hidden at first (chain.md §2, Commit-reveal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitReveal {
    /// Weights in the open are refused.
    pub enabled: bool,
    /// The scheme, `CommitRevealWeightsVersion`: 4 is time-locked. 0 where the runtime has none: by
    /// hash alone.
    pub version: u16,
    /// Epochs from a commit to its reveal, `RevealPeriodEpochs`. 0 where the runtime counts
    /// otherwise: before 2025, blocks.
    pub period_epochs: u64,
}

/// Reads a subnet's rules at the newest final block.
///
/// # Errors
/// As [`read_at`].
pub async fn read(session: &Session, netuid: Netuid) -> Result<SubnetRules, Failure> {
    let at = session.now().await?;
    read_at(session, &at, netuid).await
}

/// Reads a subnet's rules as of a block, in one request for all.
///
/// What a runtime leaves unset is at its default, by its metadata. Runtimes of early 2024 have no
/// commit-reveal at all; what they lack reads as off.
///
/// # Errors
/// [`Failure::Missing`] where the runtime lacks a rule that every version has, or the [`Failure`] of
/// the connection.
pub async fn read_at(session: &Session, at: &At, netuid: Netuid) -> Result<SubnetRules, Failure> {
    let known =
        |name: &&&str| !OPTIONAL.contains(*name) || storage::exists(at.metadata_ref(), name);
    let names: Vec<&'static str> = [EVERYWHERE, OPTIONAL].concat();
    let names: Vec<&'static str> = names.iter().filter(|name| known(name)).copied().collect();
    // The version of commit-reveal is one for the whole chain.
    let items: Vec<Item> = names
        .iter()
        .map(|name| {
            let keys = storage::key_count(at.metadata_ref(), name);
            Item::new(name, std::iter::repeat_n(storage::number(netuid.0), keys.min(1)))
        })
        .collect();
    let rules = Rules { values: storage::read(session, at, &items).await?, names };
    Ok(SubnetRules {
        weights: Hyperparameters {
            tempo: rules.get("Tempo")?,
            weights_rate_limit: rules.get("WeightsSetRateLimit")?,
            min_allowed_weights: rules.get("MinAllowedWeights")?,
            max_weight_limit: rules.get("MaxWeightsLimit")?,
            weights_version: rules.get("WeightsVersionKey")?,
        },
        commit_reveal: CommitReveal {
            enabled: rules.find("CommitRevealWeightsEnabled")?.unwrap_or(false),
            version: rules.find("CommitRevealWeightsVersion")?.unwrap_or(0),
            period_epochs: rules.find("RevealPeriodEpochs")?.unwrap_or(0),
        },
    })
}

/// What every version has.
pub(super) const EVERYWHERE: &[&str] =
    &["Tempo", "WeightsSetRateLimit", "MinAllowedWeights", "MaxWeightsLimit", "WeightsVersionKey"];

/// What came later.
pub(super) const OPTIONAL: &[&str] =
    &["CommitRevealWeightsEnabled", "CommitRevealWeightsVersion", "RevealPeriodEpochs"];

/// Values by the names of their items.
struct Rules<'at> {
    values: Values<'at>,
    names: Vec<&'static str>,
}

impl Rules<'_> {
    fn find<T: DecodeAsType>(&self, name: &str) -> Result<Option<T>, Failure> {
        match self.names.iter().position(|known| *known == name) {
            Some(place) => self.values.need(place).map(Some),
            None => Ok(None),
        }
    }

    fn get<T: DecodeAsType>(&self, name: &str) -> Result<T, Failure> {
        self.find(name)?.ok_or_else(|| Failure::Garbled {
            what: format!("{}.{name}", storage::PALLET),
            cause: "it was not asked for".to_owned(),
        })
    }
}
