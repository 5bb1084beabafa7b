//! What two runtimes may differ in: numbers of calls and errors, the order of fields, and which
//! calls there are. Everything else of the metadata is the same for both.

use sn1::chain::node::refusal::REACTIONS;

/// The pallet that everything here is about.
pub(crate) const SUBTENSOR: &str = "SubtensorModule";

/// The types that a call's argument or a field can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    U16,
    U32,
    U64,
    U128,
    U16s,
    Bytes,
    Hash,
    Account,
}

/// A call: its usual number, name and arguments.
pub(super) type Call = (u8, &'static str, &'static [(&'static str, Kind)]);

const CALLS: &[Call] = &[
    (
        0,
        "set_weights",
        &[
            ("netuid", Kind::U16),
            ("dests", Kind::U16s),
            ("weights", Kind::U16s),
            ("version_key", Kind::U64),
        ],
    ),
    (
        4,
        "serve_axon",
        &[
            ("netuid", Kind::U16),
            ("version", Kind::U32),
            ("ip", Kind::U128),
            ("port", Kind::U16),
            ("ip_type", Kind::U8),
            ("protocol", Kind::U8),
            ("placeholder1", Kind::U8),
            ("placeholder2", Kind::U8),
        ],
    ),
    (7, "burned_register", &[("netuid", Kind::U16), ("hotkey", Kind::Account)]),
    (96, "commit_weights", &[("netuid", Kind::U16), ("commit_hash", Kind::Hash)]),
    (
        97,
        "reveal_weights",
        &[
            ("netuid", Kind::U16),
            ("uids", Kind::U16s),
            ("values", Kind::U16s),
            ("salt", Kind::U16s),
            ("version_key", Kind::U64),
        ],
    ),
    (
        113,
        "commit_timelocked_weights",
        &[
            ("netuid", Kind::U16),
            ("commit", Kind::Bytes),
            ("reveal_round", Kind::U64),
            ("commit_reveal_version", Kind::U16),
        ],
    ),
];

const AXON: &[(&str, Kind)] = &[
    ("block", Kind::U64),
    ("version", Kind::U32),
    ("ip", Kind::U128),
    ("port", Kind::U16),
    ("ip_type", Kind::U8),
    ("protocol", Kind::U8),
    ("placeholder1", Kind::U8),
    ("placeholder2", Kind::U8),
];

/// The errors of the pallet, in the order of their numbers: those that our client knows by name.
pub(crate) fn errors() -> impl Iterator<Item = &'static str> {
    REACTIONS.iter().map(|(name, _)| *name)
}

/// One runtime's numbers and orders.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The version of the runtime, which is part of what is signed.
    pub spec_version: u32,
    /// The version of the transaction format, which is part of what is signed.
    pub transaction_version: u32,
    pub(super) pallet: u8,
    pub(super) calls: Vec<Call>,
    pub(super) first_error: u8,
    pub(super) axon: Vec<(&'static str, Kind)>,
}

impl Layout {
    /// The numbers that subtensor has.
    #[must_use]
    pub(crate) fn first() -> Self {
        Self {
            spec_version: 218,
            transaction_version: 1,
            pallet: 7,
            calls: CALLS.to_vec(),
            first_error: 0,
            axon: AXON.to_vec(),
        }
    }

    /// A later runtime in which no number and no order is as it was: whoever goes by them sends
    /// another call than it means.
    #[must_use]
    pub(crate) fn second() -> Self {
        let first = Self::first();
        let numbers = first.calls.iter().map(|call| call.0).rev();
        Self {
            spec_version: 219,
            transaction_version: 2,
            pallet: 9,
            calls: first
                .calls
                .iter()
                .zip(numbers)
                .map(|(call, number)| (number, call.1, call.2))
                .collect(),
            first_error: 40,
            axon: first.axon.into_iter().rev().collect(),
        }
    }

    /// The same runtime without a call.
    #[must_use]
    pub(crate) fn without(mut self, call: &str) -> Self {
        self.calls.retain(|(_, name, _)| *name != call);
        self
    }

    /// The number of an error of the pallet.
    pub(super) fn error(&self, name: &str) -> u8 {
        let position = errors().position(|known| known == name);
        let position = position.unwrap_or_else(|| panic!("the node knows no error {name}"));
        self.first_error + u8::try_from(position).unwrap()
    }
}
