//! The calls that a neuron makes, as values with named fields.
//!
//! A runtime's metadata says how a call is encoded; this only knows the names (chain.md §2). A call
//! or a field that the runtime lacks, and a field of the runtime's that we know nothing of, are
//! refused by name before anything is signed.

use std::net::{IpAddr, SocketAddr};

use sn1_actors::domain::{Netuid, Uid};
use sn1_actors::ports::WeightsCall;
use subxt::dynamic::Value;
use subxt::ext::scale_value::Composite;
use subxt::metadata::Metadata;
use subxt::tx::DynamicPayload;

use super::failure::Failure;
use super::session::At;
use super::storage::{PALLET, number};

/// A call with its values, to be encoded by a runtime's metadata.
pub type Payload = DynamicPayload<Composite<()>>;

/// The protocol number of an axon that every neuron of the field publishes.
const AXON_PROTOCOL: u8 = 4;

/// The calls of one runtime.
pub struct Calls<'a> {
    metadata: &'a Metadata,
    spec: u32,
}

/// What can be done with weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightsVerb {
    /// In the open.
    Set,
    /// As a hash.
    Commit,
    /// Shows what a hash was made of.
    Reveal,
    /// Encrypted until a round of drand.
    CommitTimelocked,
}

/// Under which name a runtime has a weights call: the plain one, or the one of its mechanisms, which
/// takes a mechanism's number besides; ours is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Mechanism,
}

impl WeightsVerb {
    const ALL: [Self; 4] = [Self::Set, Self::Commit, Self::Reveal, Self::CommitTimelocked];

    fn name(self, form: Form) -> &'static str {
        match (self, form) {
            (Self::Set, Form::Plain) => "set_weights",
            (Self::Set, Form::Mechanism) => "set_mechanism_weights",
            (Self::Commit, Form::Plain) => "commit_weights",
            (Self::Commit, Form::Mechanism) => "commit_mechanism_weights",
            (Self::Reveal, Form::Plain) => "reveal_weights",
            (Self::Reveal, Form::Mechanism) => "reveal_mechanism_weights",
            (Self::CommitTimelocked, Form::Plain) => "commit_timelocked_weights",
            (Self::CommitTimelocked, Form::Mechanism) => "commit_timelocked_mechanism_weights",
        }
    }
}

pub(super) const SERVE_AXON: &str = "serve_axon";
const REGISTER_LIMIT: &str = "register_limit";
const BURNED_REGISTER: &str = "burned_register";

/// Every call that is made; a runtime has some of them and not others, and which, decides how we go
/// about things.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let weights = [Form::Plain, Form::Mechanism]
        .into_iter()
        .flat_map(|form| WeightsVerb::ALL.map(|verb| verb.name(form)));
    [SERVE_AXON, REGISTER_LIMIT, BURNED_REGISTER].into_iter().chain(weights)
}

impl<'a> Calls<'a> {
    /// The calls of the runtime of a block.
    #[must_use]
    pub fn of(at: &'a At) -> Self {
        Self::new(at.metadata_ref(), at.spec_version())
    }

    /// The calls that a runtime's metadata has.
    #[must_use]
    pub fn new(metadata: &'a Metadata, spec: u32) -> Self {
        Self { metadata, spec }
    }

    /// Whether the runtime can do this with weights, under any of its names.
    #[must_use]
    pub fn can(&self, verb: WeightsVerb) -> bool {
        self.form(verb).is_ok()
    }

    /// `set_weights(netuid, dests, weights, version_key)`.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn set_weights(&self, call: &WeightsCall) -> Result<Payload, Failure> {
        self.weights(WeightsVerb::Set, call.netuid, set_fields(call))
    }

    /// `commit_weights(netuid, commit_hash)`.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn commit_weights(&self, netuid: Netuid, hash: [u8; 32]) -> Result<Payload, Failure> {
        self.weights(WeightsVerb::Commit, netuid, commit_fields(hash))
    }

    /// `reveal_weights(netuid, uids, values, salt, version_key)`.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn reveal_weights(&self, call: &WeightsCall, salt: &[u16]) -> Result<Payload, Failure> {
        self.weights(WeightsVerb::Reveal, call.netuid, reveal_fields(call, salt))
    }

    /// `commit_timelocked_weights(netuid, commit, reveal_round, commit_reveal_version)`.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn commit_timelocked_weights(
        &self,
        netuid: Netuid,
        commit: &[u8],
        reveal_round: u64,
        version: u16,
    ) -> Result<Payload, Failure> {
        let fields = timelocked_fields(commit, reveal_round, version);
        self.weights(WeightsVerb::CommitTimelocked, netuid, fields)
    }

    /// `serve_axon`: where an axon answers, and the version of what answers there.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn serve_axon(
        &self,
        netuid: Netuid,
        address: SocketAddr,
        version: u32,
    ) -> Result<Payload, Failure> {
        let (ip, ip_type) = ip_number(address.ip());
        let fields = vec![
            ("netuid", number(netuid.0)),
            ("version", number(version)),
            ("ip", number(ip)),
            ("port", number(address.port())),
            ("ip_type", number(ip_type)),
            ("protocol", number(AXON_PROTOCOL)),
            ("placeholder1", number(0u8)),
            ("placeholder2", number(0u8)),
        ];
        self.call(SERVE_AXON, fields)
    }

    /// `register_limit(netuid, hotkey, limit_price)` for at most so many rao, where the runtime has
    /// it; else `burned_register(netuid, hotkey)`, at whatever price it then is.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn register(
        &self,
        netuid: Netuid,
        hotkey: [u8; 32],
        most: u64,
    ) -> Result<Payload, Failure> {
        let mut fields = vec![("netuid", number(netuid.0)), ("hotkey", Value::from_bytes(hotkey))];
        if !self.can_limit_price() {
            return self.call(BURNED_REGISTER, fields);
        }
        fields.push(("limit_price", number(most)));
        self.call(REGISTER_LIMIT, fields)
    }

    /// Whether a registration can name the highest price that it may have.
    #[must_use]
    pub fn can_limit_price(&self) -> bool {
        self.fields_of(REGISTER_LIMIT).is_some()
    }

    fn weights(
        &self,
        verb: WeightsVerb,
        netuid: Netuid,
        fields: Vec<(&'static str, Value)>,
    ) -> Result<Payload, Failure> {
        self.weights_as(verb, self.form(verb)?, netuid, fields)
    }

    fn weights_as(
        &self,
        verb: WeightsVerb,
        form: Form,
        netuid: Netuid,
        mut fields: Vec<(&'static str, Value)>,
    ) -> Result<Payload, Failure> {
        fields.push(("netuid", number(netuid.0)));
        if form == Form::Mechanism {
            fields.push(("mecid", number(0u8)));
        }
        self.call(verb.name(form), fields)
    }

    fn form(&self, verb: WeightsVerb) -> Result<Form, Failure> {
        let known = |form: &Form| self.fields_of(verb.name(*form)).is_some();
        let form = [Form::Plain, Form::Mechanism].into_iter().find(known);
        form.ok_or_else(|| self.missing(verb.name(Form::Plain)))
    }

    fn call(
        &self,
        name: &'static str,
        fields: Vec<(&'static str, Value)>,
    ) -> Result<Payload, Failure> {
        let theirs = self.fields_of(name).ok_or_else(|| self.missing(name))?;
        if let Some((ours, _)) = fields.iter().find(|(ours, _)| !theirs.contains(ours)) {
            return Err(self.missing(&format!("{name}.{ours}")));
        }
        if let Some(new) = theirs.iter().find(|new| !fields.iter().any(|(ours, _)| ours == *new)) {
            return Err(self.missing(&format!("{name} without a field `{new}`")));
        }
        Ok(DynamicPayload::new(PALLET, name, Composite::named(fields)))
    }

    fn fields_of(&self, call: &str) -> Option<Vec<&'a str>> {
        let call = self.metadata.pallet_by_name(PALLET)?.call_variant_by_name(call)?;
        Some(call.fields.iter().filter_map(|field| field.name.as_deref()).collect())
    }

    fn missing(&self, item: &str) -> Failure {
        Failure::Missing { spec: self.spec, item: format!("{PALLET}.{item}") }
    }
}

fn set_fields(call: &WeightsCall) -> Vec<(&'static str, Value)> {
    vec![
        ("dests", uids(&call.uids)),
        ("weights", numbers(&call.values)),
        ("version_key", number(call.version_key)),
    ]
}

fn commit_fields(hash: [u8; 32]) -> Vec<(&'static str, Value)> {
    vec![("commit_hash", Value::from_bytes(hash))]
}

fn reveal_fields(call: &WeightsCall, salt: &[u16]) -> Vec<(&'static str, Value)> {
    vec![
        ("uids", uids(&call.uids)),
        ("values", numbers(&call.values)),
        ("salt", numbers(salt)),
        ("version_key", number(call.version_key)),
    ]
}

fn timelocked_fields(commit: &[u8], round: u64, version: u16) -> Vec<(&'static str, Value)> {
    vec![
        ("commit", Value::from_bytes(commit)),
        ("reveal_round", number(round)),
        ("commit_reveal_version", number(version)),
    ]
}

/// An address as the chain keeps it: a number, and 4 or 6.
#[must_use]
pub fn ip_number(ip: IpAddr) -> (u128, u8) {
    match ip {
        IpAddr::V4(ip) => (u128::from(u32::from(ip)), 4),
        IpAddr::V6(ip) => (u128::from(ip), 6),
    }
}

fn uids(uids: &[Uid]) -> Value {
    Value::unnamed_composite(uids.iter().map(|uid| number(uid.0)))
}

fn numbers(values: &[u16]) -> Value {
    Value::unnamed_composite(values.iter().copied().map(number))
}

#[cfg(test)]
mod tests;
