//! The synapse headers: their names, and their text.

/// Names and values, in the order in which they are sent.
pub(super) type HeaderList = Vec<(String, String)>;

/// The prefix of the headers about the axon.
pub(super) const AXON: &str = "bt_header_axon_";
/// The prefix of the headers about the dendrite.
pub(super) const DENDRITE: &str = "bt_header_dendrite_";
/// The prefix of one header for each required field of the synapse.
pub(super) const INPUT: &str = "bt_header_input_obj_";
/// The status an axon ends with; what a dendrite takes as the status.
pub(super) const AXON_STATUS_CODE: &str = "bt_header_axon_status_code";
/// The same in words.
pub(super) const AXON_STATUS_MESSAGE: &str = "bt_header_axon_status_message";
/// The signed hash of the body.
pub(super) const BODY_HASH: &str = "computed_body_hash";
/// How long the dendrite waits, in seconds.
pub(super) const TIMEOUT: &str = "timeout";

/// The fields of a terminal that must be integers in headers.
pub(super) const INTEGERS: [&str; 4] = ["status_code", "port", "version", "nonce"];

/// An empty list, as `base64(json.dumps([]))`: the SDK wants the type of each required field.
pub(super) const EMPTY_LIST: &str = "W10=";

/// A text that is fit for a header and for a log line: printable ASCII, at most `limit` bytes.
pub(super) fn clean(text: &str, limit: usize) -> String {
    let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(limit).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_nothing_in_a_header_that_could_end_it() {
        assert_eq!(clean("a\r\nb: é\u{0}\u{7f}", 99), "a??b: ???");
        assert_eq!(clean("ééé", 2), "??");
    }
}
