//! Replies in the shapes of the OpenAI protocol.

use std::time::Duration;

use actix_web::HttpResponseBuilder;
use serde_json::{Value, json};

use super::ALIAS;
use super::completion::Completion;
use super::keys::Limits;

/// How many requests a minute the key has.
pub(super) const LIMIT_REQUESTS: &str = "x-ratelimit-limit-requests";
/// How many of them are left.
pub(super) const LEFT_REQUESTS: &str = "x-ratelimit-remaining-requests";
/// When all of them are there again.
pub(super) const RESET_REQUESTS: &str = "x-ratelimit-reset-requests";
/// How many tokens a day the key has.
pub(super) const LIMIT_TOKENS: &str = "x-ratelimit-limit-tokens";
/// How many of them are left.
pub(super) const LEFT_TOKENS: &str = "x-ratelimit-remaining-tokens";
/// When there are some again.
pub(super) const RESET_TOKENS: &str = "x-ratelimit-reset-tokens";

/// What all parts of a reply share.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    /// Of the completion.
    pub(super) id: String,
    /// Seconds since the Unix epoch.
    pub(super) created: u64,
    /// The subnet's name as a model.
    pub(super) model: String,
}

impl Ticket {
    /// A whole completion.
    pub(super) fn whole(&self, completion: &Completion) -> Value {
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created,
            "model": self.model,
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": completion.text, "refusal": null},
                "logprobs": null,
                "finish_reason": completion.finish.as_str(),
            }],
            "usage": usage(completion),
            "system_fingerprint": null,
        })
    }

    /// A part of a completion in a stream.
    pub(super) fn chunk(&self, delta: &Value, finish: Option<&str>) -> Value {
        self.part(json!([{
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish,
        }]))
    }

    /// The last part of a stream whose user wants to know the usage.
    pub(super) fn usage(&self, completion: &Completion) -> Value {
        let mut part = self.part(json!([]));
        part["usage"] = usage(completion);
        part
    }

    fn part(&self, choices: Value) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created,
            "model": self.model, "choices": choices, "system_fingerprint": null,
        })
    }
}

fn usage(completion: &Completion) -> Value {
    let (prompt, written) = (completion.prompt_tokens, completion.tokens);
    json!({
        "prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written,
    })
}

/// One of the names of the subnet as a model; `created` in seconds since the Unix epoch.
pub(super) fn model(name: &str, created: u64) -> Value {
    json!({"id": name, "object": "model", "created": created, "owned_by": ALIAS})
}

/// All of them.
pub(super) fn models<'a>(names: impl IntoIterator<Item = &'a str>, created: u64) -> Value {
    let data: Vec<Value> = names.into_iter().map(|name| model(name, created)).collect();
    json!({"object": "list", "data": data})
}

/// Tells what is left of the key.
pub(super) fn tell_limits(reply: &mut HttpResponseBuilder, limits: &Limits) {
    reply.insert_header((LIMIT_REQUESTS, limits.requests_per_minute));
    reply.insert_header((LEFT_REQUESTS, limits.requests_left));
    reply.insert_header((RESET_REQUESTS, format!("{}s", seconds(limits.resets_in))));
    reply.insert_header((LIMIT_TOKENS, limits.tokens_per_day));
    reply.insert_header((LEFT_TOKENS, limits.tokens_left));
}

/// Whole seconds after which a wait is over, at least one.
pub(super) fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
