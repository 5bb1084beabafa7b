//! Identities: who and which, as newtypes so that one cannot be passed for another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A neuron's slot in a subnet. Slots are reused: scores are keyed by [`Hotkey`], never by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uid(pub u16);

/// A subnet's number on the chain; SN1 is 1 on the main network, 61 on the test network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Netuid(pub u16);

/// A block's height.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BlockNumber(pub u64);

/// One conversation of a run, counted from 0 in the order in which they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(pub u64);

/// A question and its answers within one conversation, counted from 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Turn(pub u8);

/// The text is no SS58 address: wrong length, or characters outside base58.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no SS58 address: expected 46 to 50 base58 characters")]
pub struct InvalidAddress(String);

fn parse_address(text: &str) -> Result<Arc<str>, InvalidAddress> {
    let base58 = |c: char| c.is_ascii_alphanumeric() && !matches!(c, '0' | 'O' | 'I' | 'l');
    if (46..=50).contains(&text.len()) && text.chars().all(base58) {
        Ok(text.into())
    } else {
        Err(InvalidAddress(text.chars().take(64).collect()))
    }
}

macro_rules! address {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes an SS58 address by its form; the checksum is verified where keys are used.
            ///
            /// # Errors
            /// [`InvalidAddress`] when length or alphabet are wrong.
            pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
                parse_address(text).map(Self)
            }

            /// The address as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidAddress;
            fn try_from(text: String) -> Result<Self, InvalidAddress> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(address: $name) -> Self {
                address.0.as_ref().into()
            }
        }
    };
}

address! {
    /// The SS58 address of the key a neuron signs with; the identity that scores belong to.
    Hotkey
}
address! {
    /// The SS58 address of the key that owns a neuron.
    Coldkey
}

macro_rules! display_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
display_number!(Uid, Netuid, BlockNumber, ConversationId, Turn);

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn accepts_an_address_and_gives_it_back_unchanged() {
        assert_eq!(Hotkey::parse(ALICE).unwrap().as_str(), ALICE);
    }

    #[test]
    fn refuses_texts_of_other_shape_when_parsed_and_when_deserialised() {
        for bad in ["", "5Grw", &ALICE.replace('G', "0"), &"5".repeat(60)] {
            assert!(Hotkey::parse(bad).is_err(), "{bad}");
            assert!(serde_json::from_value::<Hotkey>(bad.into()).is_err(), "{bad}");
        }
    }
}
