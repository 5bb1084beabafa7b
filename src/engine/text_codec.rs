//! Text to tokens and back, from what a GGUF file itself holds: byte-level BPE in the manner of
//! GPT-2 with each digit on its own (`tokenizer.ggml.pre` = `smollm`), and the chat template.
//!
//! The tokenizer knows ordinary tokens only. Control tokens are found by us, and only where they
//! may be: a content's bytes can never become one.

use std::collections::HashSet;
use std::path::Path;

use sn1_actors::domain::ChatMessage;
use sn1_actors::ports::{Codec, CodecError};
use tokenizers::Tokenizer;
use tokenizers::decoders::DecoderWrapper;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

use super::chat_template::{ChatTemplate, ControlToken, Segment, cut};
use super::gguf::{Gguf, Value};
use super::hyperparameters::context_length;
use super::load_error::{LoadError, LoadProblem};

/// More bytes a token of context than any text has; beyond, a chat is refused before it is
/// tokenised.
const MAX_BYTES_PER_TOKEN: usize = 64;

/// The codec of a GGUF model.
#[derive(Debug)]
pub struct TextCodec {
    tokenizer: Tokenizer,
    template: ChatTemplate,
    /// Tokens that stand for themselves in a template, whatever is around them.
    controls: Vec<ControlToken>,
    /// Control tokens that are no text.
    hidden: HashSet<u32>,
    stops: Vec<u32>,
    context_length: usize,
}

/// Reads the codec of the GGUF model at `path`; its weights are not read.
///
/// # Errors
/// [`LoadError`] where the file is absent, damaged, or of a kind that is not supported.
pub fn load_codec(path: &Path) -> Result<TextCodec, LoadError> {
    Gguf::open(path).and_then(|gguf| TextCodec::read(&gguf)).map_err(|problem| problem.at(path))
}

impl TextCodec {
    fn read(gguf: &Gguf) -> Result<Self, LoadProblem> {
        let context_length = context_length(gguf)?;
        let tokens = gguf.texts("tokenizer.ggml.tokens")?;
        let kinds = gguf.integers("tokenizer.ggml.token_type")?;
        if kinds.len() != tokens.len() {
            return Err(LoadProblem::Damaged("not every token has a type".into()));
        }
        // llama.cpp's numbers: 2 unknown, 3 control, 4 defined by the user. The latter are text.
        let of_kind = |wanted: &'static [i64]| {
            let tokens = (0_u32..).zip(tokens).zip(kinds);
            tokens.filter(|(_, kind)| wanted.contains(kind)).map(|(token, _)| token)
        };
        let named = of_kind(&[2, 3, 4]).filter(|(_, name)| !name.is_empty());
        let controls = named.map(|(id, name)| (name.clone(), id)).collect();
        let hidden = of_kind(&[2, 3]).map(|(id, _)| id).collect();

        let special = |key: &str| gguf.count(key, tokens.len().saturating_sub(1));
        let bos = special("tokenizer.ggml.bos_token_id")?;
        let eos = special("tokenizer.ggml.eos_token_id")?
            .ok_or_else(|| LoadProblem::MissingMetadata("tokenizer.ggml.eos_token_id".into()))?;
        let end_of_turn = special("tokenizer.ggml.eot_token_id")?;
        let name = |id: Option<usize>| id.and_then(|id| tokens.get(id)).cloned();
        let template = ChatTemplate::parse(
            gguf.text("tokenizer.chat_template")?,
            name(bos).unwrap_or_default(),
            name(Some(eos)).unwrap_or_default(),
        );
        Ok(Self {
            tokenizer: tokenizer(gguf, tokens)?,
            template: template
                .map_err(|e| LoadProblem::Unsupported(format!("its chat template: {e}")))?,
            controls,
            hidden,
            stops: std::iter::once(eos)
                .chain(end_of_turn)
                .filter_map(|id| u32::try_from(id).ok())
                .collect(),
            context_length,
        })
    }

    /// The tokens of a text in which control tokens are recognised by their names. For text of
    /// our own only; what others wrote goes through [`Codec::encode_chat`].
    ///
    /// # Errors
    /// [`CodecError`] where the tokenizer refuses the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, CodecError> {
        self.encode_segments(cut(text, &self.controls))
    }

    fn encode_segments(&self, segments: Vec<Segment>) -> Result<Vec<u32>, CodecError> {
        let mut ids = Vec::new();
        for segment in segments {
            match segment {
                Segment::Control(id) => ids.push(id),
                Segment::Text(text) => {
                    let encoding = self.tokenizer.encode_fast(text, false);
                    let encoding = encoding.map_err(|e| CodecError(e.to_string()))?;
                    ids.extend_from_slice(encoding.get_ids());
                }
            }
        }
        Ok(ids)
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
        // Its one way to fail is a decoder that fails; the byte-level decoder does not.
        self.tokenizer.decode(&text, false).unwrap_or_default()
    }

    fn is_stop(&self, id: u32) -> bool {
        self.stops.contains(&id)
    }

    fn context_length(&self) -> usize {
        self.context_length
    }
}

fn tokenizer(gguf: &Gguf, tokens: &[String]) -> Result<Tokenizer, LoadProblem> {
    match gguf.text("tokenizer.ggml.model")? {
        "gpt2" => {}
        other => return Err(LoadProblem::Unsupported(format!("the tokenizer {other}"))),
    }
    match gguf.text("tokenizer.ggml.pre")? {
        "smollm" => {}
        other => return Err(LoadProblem::Unsupported(format!("the pre-tokenizer {other}"))),
    }
    if gguf.get("tokenizer.ggml.add_bos_token") == Some(&Value::Bool(true)) {
        return Err(LoadProblem::Unsupported("a token before every text".into()));
    }
    let vocabulary: Vocab = tokens.iter().zip(0..).map(|(token, id)| (token.clone(), id)).collect();
    let mut merges = Vec::new();
    for merge in gguf.texts("tokenizer.ggml.merges")? {
        // The builder panics on a merge whose result is longer than any token.
        let pair = merge.split_once(' ').filter(|(left, right)| {
            let parts = [*left, *right, &format!("{left}{right}")];
            parts.iter().all(|part| vocabulary.contains_key(*part))
        });
        let Some((left, right)) = pair else {
            return Err(LoadProblem::Damaged(format!("merge {merge:?} is not of its vocabulary")));
        };
        merges.push((left.to_owned(), right.to_owned()));
    }
    let model = BPE::builder().vocab_and_merges(vocabulary, merges).build();
    let model = model.map_err(|e| LoadProblem::Damaged(format!("its vocabulary: {e}")))?;
    let bytes = ByteLevel::new(false, true, true);
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![
        PreTokenizerWrapper::from(Digits::new(true)),
        PreTokenizerWrapper::from(bytes),
    ])));
    tokenizer.with_decoder(Some(DecoderWrapper::from(bytes)));
    Ok(tokenizer)
}
