//! Why a node's pool did not take a transaction: JSON-RPC errors of `author_submit…`.
//!
//! The codes are Substrate's. What a runtime itself checks in the pool comes as a bare number, whose
//! meaning changed over the years: it is translated for the runtimes of which the source was read
//! (ecosystem.md §5.4), and shown as it is for any other.

use subxt::rpcs::{Error, UserError};

use super::failure::Failure;
use super::refusal::Refusal;
use super::session::shown;

/// What a pool has against a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolVerdict {
    /// These bytes, or others with their nonce, are in the pool: whether they get into a block shows.
    Known,
    /// It can never be in a block as it was signed.
    Outdated(String),
    /// It breaks a rule of the chain.
    Refused(Refusal),
    /// Nothing against the transaction that is known: the node could not take it, or could not be
    /// asked. What somebody between us and the node says is no word of the chain's.
    Failed(Failure),
}

const INVALID: i32 = 1010;
const BANNED: i32 = 1012;
const ALREADY_IMPORTED: i32 = 1013;
const PRIORITY_TOO_LOW: i32 = 1014;

/// Reads a node's answer to a transaction that it did not take, of a runtime's version.
#[must_use]
pub fn verdict(error: &Error, spec: u32) -> PoolVerdict {
    let what = "sending a transaction";
    match error {
        Error::User(answer) => read(answer, spec),
        error => PoolVerdict::Failed(Failure::Transport { what, cause: shown(&error.to_string()) }),
    }
}

fn read(answer: &UserError, spec: u32) -> PoolVerdict {
    let detail = detail(answer);
    let mut full = shown(&format!("{} {}", answer.code, answer.message));
    if answer.data.is_some() {
        full = shown(&format!("{full}: {detail}"));
    }
    match answer.code {
        ALREADY_IMPORTED | PRIORITY_TOO_LOW => PoolVerdict::Known,
        // The node keeps these very bytes out for a while; signed anew they are others.
        BANNED => PoolVerdict::Outdated(full),
        INVALID => invalid(&detail, &full, spec),
        // Among the others are a pool that is full, a validity that could not be told, and what a
        // proxy before the node says: the transaction may be in the pool all the same.
        _ => PoolVerdict::Failed(Failure::Transport { what: "sending a transaction", cause: full }),
    }
}

/// What says that a transaction cannot be in a block as it was signed: in the words of a node, and as
/// a light development node encodes the same. A signature over what this chain does not have (its
/// runtime was replaced meanwhile) is bad too.
const OUTDATED: &[&str] =
    &["outdated", "stale", "ancient", "bad signature", "badproof", "in the future", "\"future\""];

fn invalid(detail: &str, full: &str, spec: u32) -> PoolVerdict {
    let detail = detail.to_lowercase();
    if let Some(code) = custom(&detail) {
        let refusal = of_runtime(code, spec).map_or_else(
            || Refusal::Other(format!("{full} (of runtime {spec})")),
            Refusal::of_subtensor,
        );
        return PoolVerdict::Refused(refusal);
    }
    if OUTDATED.iter().any(|word| detail.contains(word)) {
        return PoolVerdict::Outdated(full.to_owned());
    }
    if detail.contains("pay") {
        let advice = "the account cannot pay the fee: transfer some TAO to it";
        return PoolVerdict::Refused(Refusal::Other(format!("{advice} ({full})")));
    }
    PoolVerdict::Refused(Refusal::Other(full.to_owned()))
}

/// The text of an answer's data, or of its message where it has none.
fn detail(answer: &UserError) -> String {
    let data = answer.data.as_ref().map(|data| data.get());
    let text = data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| data.to_owned()));
    shown(&text.unwrap_or_else(|| answer.message.clone()))
}

/// The number in `custom error: N`, or in `"custom":N`.
fn custom(detail: &str) -> Option<u8> {
    let (_, rest) = detail.split_once("custom")?;
    let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
    let digits = digits.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The runtimes whose pool speaks in the numbers below; 425 is the newest that was read.
const NUMBERED: std::ops::RangeInclusive<u32> = 238..=425;
/// The runtimes that only knew too little stake and too many registrations.
const EARLY: std::ops::RangeInclusive<u32> = 202..=219;

/// The pallet's error that a number stands for.
fn of_runtime(code: u8, spec: u32) -> Option<&'static str> {
    if EARLY.contains(&spec) {
        return match code {
            1..=3 => Some("NotEnoughStakeToSetWeights"),
            5 => Some("TooManyRegistrationsThisInterval"),
            _ => None,
        };
    }
    if !NUMBERED.contains(&spec) {
        return None;
    }
    match code {
        1 => Some("NotEnoughStakeToSetWeights"),
        2 => Some("NotEnoughBalanceToStake"),
        3 => Some("SubnetNotExists"),
        6 => Some("SettingWeightsTooFast"),
        10 => Some("HotKeyNotRegisteredInNetwork"),
        11 => Some("InvalidIpAddress"),
        12 => Some("ServingRateLimitExceeded"),
        13 => Some("InvalidPort"),
        15 if spec >= 323 => Some("InvalidRevealRound"),
        16 if spec >= 323 => Some("NoWeightsCommitFound"),
        17 if spec >= 323 => Some("RevealTooEarly"),
        19 if spec >= 323 => Some("HotKeyNotRegisteredInSubNet"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(code: i32, data: Option<&str>, spec: u32) -> PoolVerdict {
        let answer = json!({"code": code, "message": "Invalid Transaction", "data": data});
        verdict(&Error::User(serde_json::from_value(answer).unwrap()), spec)
    }

    #[test]
    fn a_custom_number_means_what_it_meant_in_that_runtime_and_is_shown_raw_in_others() {
        let named = |name| PoolVerdict::Refused(Refusal::of_subtensor(name));
        let custom = |n: u8, spec| said(INVALID, Some(&format!("Custom error: {n}")), spec);
        assert_eq!(custom(3, 218), named("NotEnoughStakeToSetWeights"));
        let light = said(INVALID, Some("{\"invalid\":{\"custom\":3}}"), 218);
        assert_eq!(light, named("NotEnoughStakeToSetWeights"));
        assert_eq!(custom(3, 393), named("SubnetNotExists"));
        assert_eq!(custom(6, 393), named("SettingWeightsTooFast"));
        assert_eq!(custom(19, 393), named("HotKeyNotRegisteredInSubNet"));
        for (n, spec) in [(6, 218), (19, 300), (6, 143), (6, 426), (255, 393)] {
            let PoolVerdict::Refused(Refusal::Other(raw)) = custom(n, spec) else {
                panic!("{n} of {spec} was translated");
            };
            assert!(raw.contains(&format!("Custom error: {n}")), "{raw}");
        }
    }

    #[test]
    fn what_is_over_is_signed_anew_and_what_is_there_is_looked_for() {
        for text in [
            "Transaction is outdated",
            "Transaction has an ancient birth block",
            "Transaction has a bad signature",
            "Transaction will be valid in the future",
            "{\"invalid\":{\"stale\":null}}",
            "{\"invalid\":{\"ancientBirthBlock\":null}}",
            "{\"invalid\":{\"badProof\":null}}",
            "{\"invalid\":{\"future\":null}}",
        ] {
            let found = said(INVALID, Some(text), 218);
            assert!(matches!(found, PoolVerdict::Outdated(_)), "{text}: {found:?}");
        }
        assert!(matches!(said(BANNED, None, 218), PoolVerdict::Outdated(_)));
        assert_eq!(said(ALREADY_IMPORTED, None, 218), PoolVerdict::Known);
        assert_eq!(said(PRIORITY_TOO_LOW, Some("(1 > 1)"), 218), PoolVerdict::Known);
    }

    #[test]
    fn what_is_no_verdict_on_the_transaction_leaves_open_what_becomes_of_it() {
        // A full pool, a validity that could not be told, a node's own troubles, and a proxy's.
        for code in [1016, 1011, 1002, -32603, -32000, -32005, 429, 0, i32::MIN] {
            let found = said(code, Some("Custom error: 3"), 218);
            assert!(matches!(found, PoolVerdict::Failed(_)), "{code}: {found:?}");
        }
    }

    #[test]
    fn whoever_cannot_pay_is_told_so() {
        let text = "Inability to pay some fees (e.g. account balance too low)";
        let PoolVerdict::Refused(refusal) = said(INVALID, Some(text), 393) else {
            panic!("not refused");
        };
        assert!(refusal.to_string().contains("transfer some TAO"), "{refusal}");
    }
}
