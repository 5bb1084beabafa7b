//! The body hash: what of a request's body is covered by its signature.

use sha3::{Digest, Sha3_256};

use super::python_repr;

fn sha3_hex(text: &str) -> String {
    hex::encode(Sha3_256::digest(text.as_bytes()))
}

/// The hash of SN1's synapses in hex. They hash the field `messages` and nothing else, whatever
/// the body's `required_hash_fields` claims.
#[must_use]
pub fn of_messages(messages: &[String]) -> String {
    sha3_hex(&sha3_hex(&python_repr::list_of_str(messages)))
}

/// The hash of a synapse without hashed fields, such as the ping.
#[must_use]
pub fn of_nothing() -> String {
    sha3_hex("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testkit;

    #[test]
    fn agrees_with_python_on_every_awkward_list() {
        for case in testkit::repr_cases() {
            assert_eq!(of_messages(&case.messages), case.body_hash, "{}", case.python_str);
        }
    }

    #[test]
    fn hashes_the_ping_as_python_does() {
        assert_eq!(
            of_nothing(),
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"
        );
    }
}
