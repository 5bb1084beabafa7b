//! Who may enter: the SDK's order of checks, on the head of a request alone. Only Axon uses it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{Hotkey, Moment, Neuron, Tao};
use crate::ports::Standing;

use super::rate::RateLimits;
use super::{AxonDeps, Knock, Refusal};

/// Leave to ask one question. Only [`Knock`] gives it.
#[derive(Debug)]
pub struct Pass {
    pub(super) caller: Hotkey,
    pub(super) stake: Tao,
    /// When the caller hangs up.
    pub(super) deadline: Moment,
}

/// Whom a miner does not serve, as its operator decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blacklist {
    /// Callers who are on no subnet are served too.
    pub allow_non_registered: bool,
    /// Callers without a validator permit are refused.
    pub force_validator_permit: bool,
    /// Callers with less stake on the subnet are refused; who is not registered has none.
    pub min_stake: Tao,
    /// These are refused.
    pub hotkeys: BTreeSet<Hotkey>,
    /// These are served, whatever else is said of them; they must sign as everybody does.
    pub allow_hotkeys: BTreeSet<Hotkey>,
}

impl Blacklist {
    /// Why a caller is refused, if so. What stands on no list is of no consequence there, so a
    /// hotkey that is none is a stranger's.
    fn reason(&self, claimed: &str, neuron: Option<&Neuron>) -> Option<&'static str> {
        let hotkey = Hotkey::parse(claimed).ok();
        let is_on = |list: &BTreeSet<Hotkey>| hotkey.as_ref().is_some_and(|key| list.contains(key));
        if is_on(&self.allow_hotkeys) {
            return None;
        }
        if is_on(&self.hotkeys) {
            return Some("Hotkey is on the miner's list");
        }
        let stake = neuron.map_or(Tao(0.0), |neuron| neuron.stake);
        let permitted = neuron.is_some_and(|neuron| neuron.validator_permit);
        if neuron.is_none() && !self.allow_non_registered {
            Some("Unrecognized hotkey")
        } else if self.force_validator_permit && !permitted {
            Some("No validator permit")
        } else if stake < self.min_stake {
            Some("Low stake")
        } else {
            None
        }
    }
}

impl AxonDeps {
    /// Blacklist, then signature and nonce, then rate. A ping, which costs nothing and says only
    /// what its sender said, passes the blacklist by.
    pub(super) fn let_in(&self, knock: &Knock, rates: &mut RateLimits) -> Result<Pass, Refusal> {
        let Knock { head, ping } = knock;
        let admission = Arc::clone(&self.config.admission.borrow());
        let metagraph = Arc::clone(&self.metagraph.borrow());
        let claimed = head.hotkey.as_deref().unwrap_or_default();
        let neuron = metagraph.neurons.iter().find(|neuron| neuron.hotkey.as_str() == claimed);
        if !ping && let Some(reason) = admission.blacklist.reason(claimed, neuron) {
            return Err(Refusal::blacklisted(reason));
        }
        let standing = if neuron.is_some() { Standing::Registered } else { Standing::Stranger };
        let verified = self.check.lock().verify(head, standing, self.clock.unix());
        let caller = verified.map_err(|cause| Refusal::not_verified(&cause))?;
        let now = self.clock.now();
        let named = admission.blacklist.allow_hotkeys.contains(&caller);
        let most = admission.requests_per_second;
        if (standing == Standing::Registered || named) && !rates.take(&caller, now, most) {
            let message = format!("Too many requests: at most {most} a second for one hotkey.");
            return Err(Refusal::new(429, message));
        }
        let stake = neuron.map_or(Tao(0.0), |neuron| neuron.stake);
        Ok(Pass { caller, stake, deadline: now.after(head.timeout) })
    }
}
