//! What the chain knows of the neuron: its slot, its permit, its weights and its address.

use sn1_actors::domain::{BlockNumber, Metagraph, Neuron};

use super::chain::unanswered;
use super::{Case, Finding};
use crate::chain::node::failure::Failure;
use crate::chain::node::metagraph::read_at;
use crate::chain::node::session::{At, Session};
use crate::config::{Role, Settings};
use crate::wiring::joining::Joining;
use crate::wiring::publish::Whereabouts;

const SLOT: &str = "registration";
const PERMIT: &str = "permit";
const WEIGHTS: &str = "weights";
const AXON: &str = "axon";
/// Weights are late when they are older than so many times `neuron.epoch_length`.
const LATE: u64 = 3;

pub(super) async fn look(
    case: &Case,
    joining: &Joining,
    session: &Session,
    at: &At,
) -> Vec<Finding> {
    let metagraph = match read_at(session, at, joining.netuid).await {
        Ok(metagraph) => metagraph,
        Err(failure @ Failure::Missing { .. }) => {
            return vec![Finding::failing(
                SLOT,
                failure.to_string(),
                "set netuid to a subnet that is there",
            )];
        }
        Err(failure) => return vec![unanswered(&failure)],
    };
    let Some(hotkey) = &case.hotkey else {
        let seen = "whether the hotkey has a slot is not known: its address is not";
        let cure = "mend the wallet first; an encrypted hotkey needs its public file beside it";
        return vec![Finding::warning(SLOT, seen, cure)];
    };
    let Some(own) = metagraph.by_hotkey(hotkey) else {
        let seen = format!("hotkey {hotkey} has no slot on subnet {}", joining.netuid);
        return vec![Finding::failing(SLOT, seen, "`sn1 register` gives it one, for a fee")];
    };
    let seen =
        format!("uid {} of {}, as of block {}", own.uid, metagraph.neurons.len(), metagraph.block);
    let mut findings = vec![Finding::ok(SLOT, seen)];
    if case.role == Role::Validator {
        findings.push(permit(own, &case.settings));
        findings.push(weights(own, &metagraph, &case.settings));
    }
    if case.role == Role::Miner || !case.settings.neuron.axon_off {
        findings.push(axon(case, joining, own).await);
    }
    findings
}

fn permit(own: &Neuron, settings: &Settings) -> Finding {
    let (uid, stake) = (own.uid, own.stake.0);
    let least = settings.neuron.vpermit_tao_limit as f64;
    let cure = "stake more TAO to the hotkey";
    if !own.validator_permit {
        let seen = format!(
            "uid {uid} has no validator permit, with {stake:.0} TAO: the chain takes no weights from it"
        );
        return Finding::warning(PERMIT, seen, cure);
    }
    if stake < least {
        let seen = format!(
            "uid {uid} has a permit, and {stake:.0} TAO, below the {least:.0} that miners commonly ask for"
        );
        return Finding::warning(PERMIT, seen, cure);
    }
    Finding::ok(PERMIT, format!("uid {uid} has a validator permit and {stake:.0} TAO"))
}

fn weights(own: &Neuron, seen: &Metagraph, settings: &Settings) -> Finding {
    let uid = own.uid;
    if settings.neuron.disable_set_weights {
        let seen = "off by neuron.disable_set_weights: a validator that sets none earns nothing";
        return Finding::warning(WEIGHTS, seen, "leave neuron.disable_set_weights out");
    }
    let cure = "start the validator; if it runs, its log says why it sets none";
    if own.last_update == BlockNumber(0) {
        return Finding::warning(WEIGHTS, format!("uid {uid} has never set any"), cure);
    }
    let age = seen.block.0.saturating_sub(own.last_update.0);
    let told = format!("uid {uid} set them {age} blocks ago");
    match age > settings.neuron.epoch_length.saturating_mul(LATE) {
        true => Finding::warning(
            WEIGHTS,
            format!("{told}, and every {} is wanted", settings.neuron.epoch_length),
            cure,
        ),
        false => Finding::ok(WEIGHTS, told),
    }
}

async fn axon(case: &Case, joining: &Joining, own: &Neuron) -> Finding {
    let ours = match Whereabouts::of(&case.settings, &joining.endpoints).address().await {
        Ok(ours) => ours,
        Err(error) => return Finding::of_error(AXON, &error, "set axon.external_ip"),
    };
    match own.axon {
        Some(there) if there == ours => Finding::ok(AXON, format!("{ours}, as the chain has it")),
        Some(there) => {
            let seen = format!("the chain says {there}, and this machine is {ours}");
            let cure = "a start publishes it; if another machine runs with this hotkey, stop one; \
                        axon.external_ip and axon.external_port say another address";
            Finding::warning(AXON, seen, cure)
        }
        None => {
            let seen = format!("the chain has no address of the hotkey; this machine is {ours}");
            Finding::warning(AXON, seen, "a start publishes it")
        }
    }
}
