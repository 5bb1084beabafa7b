//! Joins the chain that the settings name.

use std::sync::Arc;

use sn1_actors::domain::Netuid;
use sn1_actors::runtime::Overseer;

use crate::chain::node::endpoint::Endpoints;
use crate::config::Loaded;
use crate::exit::{Ended, Exit};

/// Which subnet of which chain.
#[derive(Clone, Debug)]
pub struct Joining {
    /// The subnet.
    pub netuid: Netuid,
    /// The chain's nodes.
    pub endpoints: Endpoints,
}

impl Joining {
    /// What the settings name. `command` is for the examples in the error.
    ///
    /// # Errors
    /// If subnet or network are not named: neither has a default, so that nobody stakes a hotkey's
    /// name on a network by mistake.
    pub fn of(loaded: &Loaded, command: &str) -> Result<Self, Ended> {
        let Some(netuid) = loaded.settings.netuid else {
            return Err(unnamed("subnet (netuid)", command));
        };
        match Endpoints::of(loaded) {
            Some(endpoints) => Ok(Self { netuid: Netuid(netuid), endpoints }),
            None => Err(unnamed("network (subtensor.network)", command)),
        }
    }
}

fn unnamed(what: &str, command: &str) -> Ended {
    let message = format!(
        "no {what} is named, and there is no default. On the test network:\n  \
         sn1 {command} --netuid 61 --subtensor.network test\non the main network:\n  \
         sn1 {command} --netuid 1 --subtensor.network finney"
    );
    Ended::new(Exit::Usage, message)
}
