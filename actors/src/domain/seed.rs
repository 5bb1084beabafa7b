//! Where randomness comes from: a function of the run's seed and of what it is for.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

use super::{ConversationId, Turn};

/// What a draw is for; each purpose has a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Which task kind the conversation is about.
    TaskKind,
    /// Which context a tool returns.
    Context,
    /// How the query is worded.
    Query,
    /// How the reference answer is worded.
    Reference,
    /// Who asks.
    Persona,
    /// How the challenge is worded.
    Challenge,
    /// Which miners are asked, in which order.
    Uids,
    /// How a challenge is worded without the model.
    Paraphrase,
    /// Whether a person has what it wants.
    Goal,
    /// Which context a tool returns that is asked ahead: of a refill and a tool in the place of a
    /// conversation and a turn.
    Refill,
    /// Which user's query a challenge looks like, and what makes it look so.
    Shape,
    /// When rounds go out; one stream for the run.
    Rhythm,
}

/// The seed of a run.
///
/// Every draw comes from `hash(seed, conversation, turn, purpose)`, so the order in which messages
/// arrive changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunSeed(pub u64);

impl RunSeed {
    /// The random stream of one purpose in one turn of one conversation.
    #[must_use]
    pub fn stream(self, conversation: ConversationId, turn: Turn, purpose: Purpose) -> ChaCha8Rng {
        let mut hash = Sha256::new();
        hash.update(b"sn1 random stream 1");
        hash.update(self.0.to_le_bytes());
        hash.update(conversation.0.to_le_bytes());
        hash.update([turn.0, purpose as u8]);
        ChaCha8Rng::from_seed(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn streams_differ_in_every_coordinate_and_repeat_exactly() {
        let draw = |seed, conversation, turn, purpose| {
            RunSeed(seed).stream(ConversationId(conversation), Turn(turn), purpose).next_u64()
        };
        let base = draw(1, 2, 3, Purpose::Query);
        assert_eq!(base, draw(1, 2, 3, Purpose::Query));
        assert_ne!(base, draw(9, 2, 3, Purpose::Query));
        assert_ne!(base, draw(1, 9, 3, Purpose::Query));
        assert_ne!(base, draw(1, 2, 9, Purpose::Query));
        assert_ne!(base, draw(1, 2, 3, Purpose::Persona));
    }
}
