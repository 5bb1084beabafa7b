//! When a uuid was made: those of version 1, which the SDK's dendrites have, tell.

use std::time::Duration;

/// 100 ns steps from the start of the Gregorian calendar, which uuids count from, to 1970.
const UNIX_EPOCH: u64 = 0x01B2_1DD2_1381_4000;

/// The rank of a text that tells no time: below every time, above no rank at all.
const NO_TIME: u64 = 1;

/// The time in a uuid of version 1, in steps of 100 ns; any other text ranks below all times.
pub(super) fn rank(uuid: &str) -> u64 {
    time(uuid).map_or(NO_TIME, |time| time.max(NO_TIME))
}

/// What a uuid that is made at `unix` tells.
pub(super) fn at(unix: Duration) -> u64 {
    let steps = u64::try_from(unix.as_nanos() / 100).unwrap_or(u64::MAX);
    UNIX_EPOCH.saturating_add(steps)
}

fn time(uuid: &str) -> Option<u64> {
    let mut parts = uuid.split('-');
    let [low, middle, high, sequence, node] = [8, 4, 4, 4, 12].map(|digits| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        let hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(part, 16).ok().filter(|_| hex)
    });
    let (low, middle, high) = (low?, middle?, high?);
    if sequence.is_none() || node.is_none() || parts.next().is_some() || high >> 12 != 1 {
        return None;
    }
    Some((high & 0xfff) << 48 | middle << 32 | low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_that_python_wrote() {
        // A dendrite of the captured exchanges, made some milliseconds before its nonce.
        let made = rank("8dc48154-e6b2-11f1-9bd3-02fc00000001");
        let sent = at(Duration::from_nanos(1_795_378_998_227_809_301));
        assert!(made < sent && sent - made < 10_000_000, "{made} {sent}");
    }

    #[test]
    fn finds_no_time_in_other_texts() {
        for text in [
            "",
            "u",
            "8dc48154-e6b2-41f1-9bd3-02fc00000001",
            "8dc48154-e6b2-11f1-9bd3-02fc00000001-",
            "+dc48154-e6b2-11f1-9bd3-02fc00000001",
            "8dc48154-e6b2-11f1-9bd3-02fc0000000x",
            "8dc48154e6b2-11f1-9bd3-02fc00000001",
        ] {
            assert_eq!(rank(text), NO_TIME, "{text}");
        }
    }
}
