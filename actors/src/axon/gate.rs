//! Who may enter: the SDK's order of checks, on the head of a request alone. Only Axon uses it.

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

impl AxonDeps {
    /// Blacklist, then signature and nonce, then rate. A ping, which costs nothing and says only
    /// what its sender said, passes the blacklist by.
    pub(super) fn let_in(&self, knock: &Knock, rates: &mut RateLimits) -> Result<Pass, Refusal> {
        let Knock { head, ping } = knock;
        let metagraph = Arc::clone(&self.metagraph.borrow());
        let claimed = head.hotkey.as_deref().unwrap_or_default();
        let neuron = metagraph.neurons.iter().find(|neuron| neuron.hotkey.as_str() == claimed);
        if !ping && let Some(reason) = self.blacklists(neuron) {
            return Err(Refusal::blacklisted(reason));
        }
        let standing = if neuron.is_some() { Standing::Registered } else { Standing::Stranger };
        let verified = self.check.lock().verify(head, standing, self.clock.unix());
        let caller = verified.map_err(|cause| Refusal::not_verified(&cause))?;
        let now = self.clock.now();
        if standing == Standing::Registered && !rates.take(&caller, now) {
            let most = self.config.requests_per_second;
            let message = format!("Too many requests: at most {most} a second for one hotkey.");
            return Err(Refusal::new(429, message));
        }
        let stake = neuron.map_or(Tao(0.0), |neuron| neuron.stake);
        Ok(Pass { caller, stake, deadline: now.after(head.timeout) })
    }

    /// Why a caller is not served, if so.
    fn blacklists(&self, neuron: Option<&Neuron>) -> Option<&'static str> {
        let only_permitted = self.config.force_validator_permit;
        match neuron {
            None if !self.config.allow_non_registered => Some("Unrecognized hotkey"),
            None if only_permitted => Some("No validator permit"),
            Some(neuron) if only_permitted && !neuron.validator_permit => {
                Some("No validator permit")
            }
            None | Some(_) => None,
        }
    }
}
