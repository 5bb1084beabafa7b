//! The codec that a GGUF file itself holds: its chat template, and one of two tokenizers,
//! byte-level BPE in the manner of GPT-2 with each digit on its own (`tokenizer.ggml.pre` =
//! `smollm`), or SentencePiece's BPE (`tokenizer.ggml.model` = `llama`).

use std::path::Path;

use tokenizers::Tokenizer;
use tokenizers::decoders::DecoderWrapper;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

use super::gguf::Gguf;
use super::hyperparameters::context_of_gguf;
use super::load_error::LoadProblem;
use super::sentence_piece::{PieceKind, SentencePiece};
use super::text_codec::{CodecParts, TextTokenizer};

pub(super) fn read(path: &Path) -> Result<CodecParts, LoadProblem> {
    let gguf = &Gguf::open(path)?;
    let context_length = context_of_gguf(gguf)?;
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
    let name = |id: Option<usize>| id.and_then(|id| tokens.get(id)).cloned().unwrap_or_default();
    Ok(CodecParts {
        template: gguf.text("tokenizer.chat_template")?.to_owned(),
        tokenizer: match gguf.text("tokenizer.ggml.model")? {
            "gpt2" => TextTokenizer::ByteLevel(Box::new(byte_level(gguf, tokens)?)),
            "llama" => TextTokenizer::SentencePiece(Box::new(sentence_piece(gguf, tokens, kinds)?)),
            other => return Err(LoadProblem::Unsupported(format!("the tokenizer {other}"))),
        },
        bos: name(bos),
        eos: name(Some(eos)),
        controls,
        hidden,
        stops: std::iter::once(eos)
            .chain(end_of_turn)
            .filter_map(|id| u32::try_from(id).ok())
            .collect(),
        context_length,
    })
}

fn sentence_piece(
    gguf: &Gguf,
    tokens: &[String],
    kinds: &[i64],
) -> Result<SentencePiece, LoadProblem> {
    let scores = gguf.floats("tokenizer.ggml.scores")?;
    if scores.len() != tokens.len() {
        return Err(LoadProblem::Damaged("not every token has a score".into()));
    }
    // The first changes characters before they are tokenised, the second drops some.
    let (charsmap, trimming) =
        ("tokenizer.ggml.precompiled_charsmap", "tokenizer.ggml.remove_extra_whitespaces");
    if gguf.get(charsmap).is_some() || gguf.flag(trimming)? == Some(true) {
        return Err(LoadProblem::Unsupported("text that is normalised".into()));
    }
    let kinds: Vec<PieceKind> =
        kinds.iter().zip(tokens).map(|(kind, token)| PieceKind::new(*kind, token)).collect();
    let unknown = gguf.count("tokenizer.ggml.unknown_token_id", tokens.len().saturating_sub(1))?;
    let prefix = gguf.flag("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
    let unknown = unknown.and_then(|id| u32::try_from(id).ok());
    Ok(SentencePiece::new(tokens, scores, &kinds, unknown, prefix))
}

fn byte_level(gguf: &Gguf, tokens: &[String]) -> Result<Tokenizer, LoadProblem> {
    match gguf.text("tokenizer.ggml.pre")? {
        "smollm" => {}
        other => return Err(LoadProblem::Unsupported(format!("the pre-tokenizer {other}"))),
    }
    if gguf.flag("tokenizer.ggml.add_bos_token")? == Some(true) {
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
