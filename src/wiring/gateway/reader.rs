//! What the validator's own model makes of users' texts: how many tokens they have, and whether it
//! can read a chat at all. Answers to a chat that it cannot read are never scored, so that miners
//! could leave such chats unanswered at no cost; the gateway takes none.

use std::sync::Arc;

use sn1_actors::domain::{ChatMessage, Query};
use sn1_actors::model_worker::TextSource;
use sn1_actors::ports::{BLOCK_TOKENS, Codec};
use sn1_actors::text::shown::shown;
use sn1_actors::wiring::ModelParts;

use crate::config::Settings;
use crate::gateway::{ModelReader, Unreadable};

/// Bytes of a token of English, on average, where the model that counts them is on another machine.
const BYTES_A_TOKEN: usize = 4;
/// Tokens that a model on another machine is taken to read where the settings do not say.
const SERVER_CONTEXT: usize = 4_096;

/// Reads as the model of a validator does; where that is on another machine, a token has as many
/// bytes as in English texts on average.
#[must_use]
pub fn model_reader(model: &ModelParts, settings: &Settings) -> ModelReader {
    let codec = match &model.text {
        TextSource::Local(codec) => Some(Arc::clone(codec)),
        TextSource::Remote(_) => None,
    };
    let wanted = settings.gateway.max_context;
    let context = codec.as_ref().map_or(wanted.unwrap_or(SERVER_CONTEXT), |codec| {
        let cache = (model.scheduler.kv_blocks as usize).saturating_mul(BLOCK_TOKENS);
        codec.context_length().min(cache).min(wanted.unwrap_or(usize::MAX))
    });
    reader(codec, longest_chat(context, settings.neuron.max_tokens))
}

/// The tokens of a chat to which the model can still write a whole reference, or one that is half
/// of what it reads, if texts may be longer than that.
fn longest_chat(context: usize, max_new_tokens: usize) -> usize {
    context - max_new_tokens.min(context / 2)
}

fn reader(codec: Option<Arc<dyn Codec>>, most: usize) -> ModelReader {
    let Some(codec) = codec else {
        let count = |text: &str| text.len().div_ceil(BYTES_A_TOKEN);
        let read = move |query: &Query| {
            bounded(query.messages.iter().map(|message| count(message)).sum(), most)
        };
        return ModelReader { count: Arc::new(count), read: Arc::new(read) };
    };
    let frame = codec.encode_chat(&[ChatMessage::user("")]).map_or(0, |tokens| tokens.len());
    let of_text = Arc::clone(&codec);
    let count = move |text: &str| {
        let tokens = of_text.encode_chat(&[ChatMessage::user(text)]);
        tokens.map_or(text.len().div_ceil(BYTES_A_TOKEN), |tokens| tokens.len() - frame)
    };
    let read = move |query: &Query| {
        match codec.encode_chat(&query.clone().into_messages()) {
            Ok(tokens) => bounded(tokens.len(), most),
            Err(error) => {
                // What is far too long is not even counted.
                let bytes: usize = query.messages.iter().map(String::len).sum();
                bounded(bytes.div_ceil(BYTES_A_TOKEN), most)?;
                Err(Unreadable::Unfit(shown(&error.to_string())))
            }
        }
    };
    ModelReader { count: Arc::new(count), read: Arc::new(read) }
}

fn bounded(tokens: usize, most: usize) -> Result<usize, Unreadable> {
    if tokens > most { Err(Unreadable::TooLong { tokens, most }) } else { Ok(tokens) }
}

#[cfg(test)]
mod tests {
    use sn1_actors::domain::Role;
    use sn1_actors::model_worker::stand_in::StandInCodec;
    use sn1_actors::ports::CodecError;

    use super::*;

    fn said(length: usize) -> Query {
        Query::from_user("x".repeat(length))
    }

    #[test]
    fn a_whole_reference_has_room_behind_the_longest_chat() {
        assert_eq!(longest_chat(2_048, 256), 1_792);
        assert_eq!(longest_chat(100, 4_096), 50, "whatever texts may have, some chats are read");
    }

    #[test]
    fn a_chat_is_counted_whole_and_refused_beyond_what_the_model_reads() {
        let ModelReader { count, read } = reader(Some(Arc::new(StandInCodec)), 10);
        assert_eq!(count("four"), 4);
        // The stand-in's tokens are bytes, and one begins the answer.
        assert_eq!(read(&said(9)), Ok(10));
        assert_eq!(read(&said(10)), Err(Unreadable::TooLong { tokens: 11, most: 10 }));
        let roles = vec![Role::User, Role::Assistant, Role::User];
        let chat = Query { roles, messages: ["1234", "1234", "1234"].map(str::to_owned).into() };
        assert!(read(&chat).is_err(), "each message alone could be read");
    }

    #[test]
    fn tokens_of_a_model_elsewhere_are_estimated() {
        let ModelReader { count, read } = reader(None, 10);
        assert_eq!((count("12345"), read(&said(40))), (2, Ok(10)));
        assert_eq!(read(&said(41)), Err(Unreadable::TooLong { tokens: 11, most: 10 }));
    }

    /// A model whose template takes no chat.
    struct Strict;

    impl Codec for Strict {
        fn encode_chat(&self, _: &[ChatMessage]) -> Result<Vec<u32>, CodecError> {
            Err(CodecError("roles must alternate\n".into()))
        }

        fn decode(&self, _: &[u32]) -> String {
            String::new()
        }

        fn is_stop(&self, _: u32) -> bool {
            false
        }

        fn context_length(&self) -> usize {
            10
        }
    }

    #[test]
    fn a_chat_that_the_model_s_template_refuses_is_told_from_one_that_is_too_long() {
        let ModelReader { read, .. } = reader(Some(Arc::new(Strict)), 10);
        let unfit = read(&said(3)).unwrap_err();
        let Unreadable::Unfit(cause) = &unfit else { panic!("{unfit}") };
        assert!(cause.contains("roles must alternate") && !cause.contains('\n'), "{cause}");
        assert_eq!(read(&said(400)), Err(Unreadable::TooLong { tokens: 100, most: 10 }));
    }
}
