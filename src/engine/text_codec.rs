//! Text to tokens and back, and chats by the model's own template, for every kind of model file.
//!
//! The tokenizers know ordinary tokens only. Control tokens are found by us, and only where they
//! may be: a content's bytes can never become one. Nothing is put before a chat that its template
//! does not put there: transformers, too, tokenises a rendered chat without special tokens.

use std::collections::HashSet;
use std::path::Path;

use sn1_actors::domain::ChatMessage;
use sn1_actors::ports::{Codec, CodecError};
use tokenizers::Tokenizer;

use super::chat_template::{ChatTemplate, ControlToken, Segment, cut};
use super::load_error::{LoadError, LoadProblem};
use super::sentence_piece::SentencePiece;
use super::tokenizer_json::JsonTokenizer;
use super::{folder_codec, gguf_codec};

/// More bytes a token of context than any text has; beyond, a chat is refused before it is
/// tokenised.
const MAX_BYTES_PER_TOKEN: usize = 64;
/// Some ten times what models have; each place of a text is compared with all of them.
const MAX_CONTROLS: usize = 4096;

/// What turns text without control tokens into tokens, and tokens into text.
#[derive(Debug)]
pub(super) enum TextTokenizer {
    /// Byte-level BPE out of a GGUF file.
    ByteLevel(Box<Tokenizer>),
    SentencePiece(Box<SentencePiece>),
    Json(Box<JsonTokenizer>),
}

/// The codec of a model.
#[derive(Debug)]
pub struct TextCodec {
    tokenizer: TextTokenizer,
    template: ChatTemplate,
    controls: Vec<ControlToken>,
    hidden: HashSet<u32>,
    stops: Vec<u32>,
    context_length: usize,
}

/// What a model's files say of its codec.
pub(super) struct CodecParts {
    pub(super) tokenizer: TextTokenizer,
    /// The chat template's text.
    pub(super) template: String,
    /// The names of the tokens that begin and end a sequence, empty for none.
    pub(super) bos: String,
    pub(super) eos: String,
    /// Tokens that stand for themselves in a template, whatever is around them.
    pub(super) controls: Vec<ControlToken>,
    /// Control tokens that are no text.
    pub(super) hidden: HashSet<u32>,
    /// Tokens that end an answer.
    pub(super) stops: Vec<u32>,
    pub(super) context_length: usize,
}

/// Reads the codec of the model at `path`, a GGUF file or a folder; its weights are not read.
///
/// # Errors
/// [`LoadError`] where a file is absent, damaged, or of a kind that is not supported.
pub fn load_codec(path: &Path) -> Result<TextCodec, LoadError> {
    let parts = if path.is_dir() { folder_codec::read(path) } else { gguf_codec::read(path) };
    parts.and_then(TextCodec::new).map_err(|problem| problem.at(path))
}

impl TextCodec {
    fn new(parts: CodecParts) -> Result<Self, LoadProblem> {
        if parts.controls.len() > MAX_CONTROLS {
            let count = parts.controls.len();
            return Err(LoadProblem::Unsupported(format!("it has {count} control tokens")));
        }
        let template = ChatTemplate::parse(&parts.template, parts.bos, parts.eos)
            .map_err(|e| LoadProblem::Unsupported(format!("its chat template: {e}")))?;
        Ok(Self {
            tokenizer: parts.tokenizer,
            template,
            controls: parts.controls,
            hidden: parts.hidden,
            stops: parts.stops,
            context_length: parts.context_length,
        })
    }

    /// The tokens of a text in which control tokens are recognised by their names, and before
    /// which none is put. For text of our own only; what others wrote goes through
    /// [`Codec::encode_chat`].
    ///
    /// # Errors
    /// [`CodecError`] where the tokenizer refuses the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, CodecError> {
        self.encode_segments(cut(text, &self.controls))
    }

    fn encode_segments(&self, segments: Vec<Segment>) -> Result<Vec<u32>, CodecError> {
        let mut ids = Vec::new();
        for (number, segment) in segments.into_iter().enumerate() {
            match segment {
                Segment::Control(id) => ids.push(id),
                Segment::Text(text) => ids.extend(self.tokenizer.encode(&text, number == 0)?),
            }
        }
        Ok(ids)
    }
}

impl TextTokenizer {
    /// `start` tells that nothing is before the text.
    fn encode(&self, text: &str, start: bool) -> Result<Vec<u32>, CodecError> {
        match self {
            Self::ByteLevel(tokenizer) => {
                let encoding = tokenizer.encode_fast(text, false);
                Ok(encoding.map_err(|e| CodecError(e.to_string()))?.get_ids().to_vec())
            }
            Self::SentencePiece(pieces) => Ok(pieces.encode(text)),
            Self::Json(tokenizer) => tokenizer.encode(text, start),
        }
    }

    fn decode(&self, ids: &[u32]) -> String {
        match self {
            // Its one way to fail is a decoder that fails; the byte-level decoder does not.
            Self::ByteLevel(tokenizer) => tokenizer.decode(ids, false).unwrap_or_default(),
            Self::SentencePiece(pieces) => pieces.decode(ids),
            Self::Json(tokenizer) => tokenizer.decode(ids),
        }
    }
}

impl Codec for TextCodec {
    fn encode_chat(&self, messages: &[ChatMessage]) -> Result<Vec<u32>, CodecError> {
        let bytes: usize = messages.iter().map(|message| message.content.len()).sum();
        if bytes / MAX_BYTES_PER_TOKEN > self.context_length {
            return Err(CodecError(format!(
                "{bytes} bytes are far beyond the model's context of {} tokens",
                self.context_length
            )));
        }
        self.encode_segments(self.template.render(messages, &self.controls)?)
    }

    fn decode(&self, ids: &[u32]) -> String {
        let text: Vec<u32> = ids.iter().copied().filter(|id| !self.hidden.contains(id)).collect();
        self.tokenizer.decode(&text)
    }

    fn is_stop(&self, id: u32) -> bool {
        self.stops.contains(&id)
    }

    fn context_length(&self) -> usize {
        self.context_length
    }
}
