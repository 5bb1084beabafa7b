//! The OpenAI protocol: what is sent, and the parts that are read of what comes back.

use serde::{Deserialize, Deserializer, Serialize};
use sn1_actors::domain::{ChatMessage, FinishReason, Sampling};
use sn1_actors::ports::TextRequest;

/// The body of `POST /v1/chat/completions`.
#[derive(Serialize)]
pub(super) struct ChatBody<'a> {
    model: &'a str,
    messages: &'a [ChatMessage],
    temperature: f32,
    top_p: f32,
    max_tokens: usize,
    /// Servers differ in how many bits they take: 31 are taken by all.
    seed: u32,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    stream: bool,
    stream_options: StreamOptions,
    #[serde(flatten)]
    extensions: Option<Extensions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// What the OpenAI protocol lacks, but llama.cpp, vLLM and SGLang take. A server that refuses an
/// unknown field is asked without.
#[derive(Clone, Copy, Serialize)]
struct Extensions {
    /// -1 means all.
    top_k: i64,
    /// Some servers cut unlikely tokens off unless told not to.
    min_p: f32,
    /// The name that vLLM, SGLang and TGI have for it.
    repetition_penalty: f32,
    /// llama.cpp's.
    repeat_penalty: f32,
}

impl Extensions {
    fn of(sampling: &Sampling) -> Self {
        let top_k = match sampling.top_k {
            0 => -1,
            top_k => i64::try_from(top_k).unwrap_or(-1),
        };
        let penalty = sampling.repetition_penalty;
        Self { top_k, min_p: 0.0, repetition_penalty: penalty, repeat_penalty: penalty }
    }
}

impl<'a> ChatBody<'a> {
    /// The body for a request.
    pub(super) fn new(model: &'a str, request: &'a TextRequest, extended: bool) -> Self {
        let sampling = &request.sampling;
        let seed = sampling.seed ^ (sampling.seed >> 32);
        Self {
            model,
            messages: &request.messages,
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            max_tokens: sampling.max_new_tokens,
            seed: (seed & 0x7fff_ffff) as u32,
            stop: &request.stop,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
            extensions: extended.then(|| Extensions::of(sampling)),
        }
    }
}

/// Whether a refusal is about one of the fields of [`Extensions`], or about fields that the server
/// does not know.
pub(super) fn complains_of_extensions(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let named = ["top_k", "min_p", "repetition_penalty", "repeat_penalty"];
    let unknown = ["unknown", "unrecognized", "unsupported", "unexpected", "extra", "additional"];
    let field = ["field", "argument", "parameter", "propert", "input", "key"];
    named.iter().any(|name| message.contains(name))
        || (unknown.iter().any(|word| message.contains(word))
            && field.iter().any(|word| message.contains(word)))
}

/// One event of a stream.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) choices: Vec<ChunkChoice>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<ErrorBody>,
}

/// What an event adds to the answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ChunkChoice {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) delta: Words,
    pub(super) finish_reason: Option<String>,
}

/// A piece of an answer, or the whole.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Words {
    /// The text.
    pub(super) content: Option<String>,
    /// What a model thinks before it answers. Not part of the answer, but a sign of life.
    #[serde(alias = "reasoning")]
    pub(super) reasoning_content: Option<String>,
}

/// The reply of a server that does not stream.
#[derive(Debug, Deserialize)]
pub(super) struct Completion {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) choices: Vec<CompletionChoice>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<ErrorBody>,
}

/// The answer of a server that does not stream.
#[derive(Debug, Deserialize)]
pub(super) struct CompletionChoice {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) message: Words,
    pub(super) finish_reason: Option<String>,
}

/// How many tokens there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
}

/// The models of a server: the reply to `GET /v1/models`.
#[derive(Debug, Deserialize)]
pub(super) struct ModelList {
    pub(super) data: Vec<Listed>,
}

/// A model that a server has.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    /// Its name; the path of a file with llama.cpp.
    pub(super) id: String,
    /// Further names, with llama.cpp.
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) aliases: Vec<String>,
}

/// Why a server refuses, in any of the shapes in use.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum ErrorBody {
    /// OpenAI, vLLM, llama.cpp.
    Detailed {
        message: String,
        #[serde(default)]
        code: serde_json::Value,
    },
    /// TGI.
    Plain(String),
    /// Anything else.
    Other(serde_json::Value),
}

impl ErrorBody {
    /// What it says.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Detailed { message, .. } | Self::Plain(message) => message.clone(),
            Self::Other(value) => value.to_string(),
        }
    }

    /// The HTTP status that it stands for, where it names one.
    pub(super) fn status(&self) -> Option<u16> {
        let Self::Detailed { code, .. } = self else { return None };
        code.as_u64().and_then(|code| u16::try_from(code).ok())
    }
}

/// What the body of a refusal says, whatever its shape.
pub(super) fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(alias = "detail", alias = "message")]
        error: ErrorBody,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => refusal.error.message(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Why the answer ended, in our words; `None` where the server gave up on it.
pub(super) fn finish_reason(said: &str) -> Option<FinishReason> {
    match said {
        "length" | "max_tokens" => Some(FinishReason::Length),
        "abort" | "error" | "cancelled" => None,
        // "stop", "eos_token", "stop_sequence", "content_filter", "tool_calls" and what may come.
        _ => Some(FinishReason::Stop),
    }
}

/// Servers write null where they could leave a field out.
fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(sampling: Sampling, stop: &[&str], extended: bool) -> serde_json::Value {
        let stop = stop.iter().map(|stop| (*stop).to_owned()).collect();
        let request = TextRequest { messages: vec![ChatMessage::user("hi")], sampling, stop };
        serde_json::to_value(ChatBody::new("m", &request, extended)).unwrap()
    }

    #[test]
    fn writes_what_servers_read() {
        let sampling = Sampling { seed: 7, ..Sampling::greedy(5) };
        let expected = json!({
            "model": "m", "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.0, "top_p": 1.0, "max_tokens": 5, "seed": 7, "stop": ["x"],
            "stream": true, "stream_options": {"include_usage": true},
            "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0, "repeat_penalty": 1.0,
        });
        assert_eq!(body(sampling, &["x"], true), expected);
    }

    #[test]
    fn leaves_out_what_a_server_does_not_know_and_what_is_empty() {
        let plain = body(Sampling::ORIGINAL, &[], false);
        for name in ["top_k", "min_p", "stop"] {
            assert!(plain.get(name).is_none(), "{plain}");
        }
        assert_eq!(body(Sampling::ORIGINAL, &[], true)["top_k"], 50);
    }

    #[test]
    fn folds_seeds_into_31_bits() {
        let seed = |seed| body(Sampling { seed, ..Sampling::ORIGINAL }, &[], true)["seed"].clone();
        assert_eq!(seed(u64::MAX), 0);
        assert_eq!(seed(1 << 32), 1);
        assert_ne!(seed(3 << 32), seed(1 << 32));
    }

    #[test]
    fn tells_refusals_of_extensions_from_others() {
        for message in [
            "Unrecognized request argument supplied: top_k",
            "top_k must be -1 (disable), or at least 1, got 0.",
            "[{'type': 'extra_forbidden', 'msg': 'Extra inputs are not permitted'}]",
            "unknown field `foo`",
        ] {
            assert!(complains_of_extensions(message), "{message}");
        }
        for message in ["the prompt is too long", "Expected 'content' to be a string"] {
            assert!(!complains_of_extensions(message), "{message}");
        }
    }

    #[test]
    fn reads_refusals_of_every_shape() {
        for body in [
            r#"{"error": {"message": "no", "code": 400}}"#,
            r#"{"error": "no", "error_type": "validation"}"#,
            r#"{"object": "error", "message": "no", "code": 400}"#,
            r#"{"detail": "no"}"#,
            "no",
        ] {
            assert_eq!(refusal(body.as_bytes()), "no", "{body}");
        }
        assert_eq!(refusal(br#"{"detail": [{"loc": []}]}"#), r#"[{"loc":[]}]"#);
    }

    #[test]
    fn reads_chunks_with_nulls_and_unknown_fields() {
        let text = r#"{"id": "x", "choices": [{"index": 0, "delta": {"role": "assistant",
            "content": null}, "finish_reason": null}], "usage": null}"#;
        let chunk: Chunk = serde_json::from_str(text).unwrap();
        assert!(chunk.choices[0].delta.content.is_none() && chunk.usage.is_none());
        let text = r#"{"choices": null, "usage": {"prompt_tokens": 3, "completion_tokens": 4}}"#;
        let chunk: Chunk = serde_json::from_str(text).unwrap();
        assert_eq!(chunk.usage, Some(Usage { prompt_tokens: 3, completion_tokens: 4 }));
        let chunk: Chunk =
            serde_json::from_str(r#"{"error": {"message": "no", "code": 400}}"#).unwrap();
        assert_eq!(chunk.error.and_then(|error| error.status()), Some(400));
    }
}
