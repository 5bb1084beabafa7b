//! A user's request: what is understood of it, what is left aside and what is refused.
//!
//! Fields that nobody knows are left aside, as the official clients expect. What would change the
//! answer in a way that cannot be given (tools, several choices, another format) is refused. What
//! only asks for a taste (temperature, seed) is taken and has no effect: the wire to the miners
//! carries the chat alone. The document of [`openapi`](super::openapi) says the same.

use serde_json::{Map, Value};
use sn1_actors::domain::Query;
use sn1_actors::text::shown::shown;

use super::completion::Ends;
use super::error::ApiError;
use super::messages;

/// The most stop strings.
pub(super) const MAX_STOPS: usize = 4;

/// What is taken and has no effect, if it is a number.
const TASTES: [&str; 5] = ["temperature", "top_p", "seed", "frequency_penalty", "presence_penalty"];

/// Whether a value asks for nothing special.
type AsksForNothing = fn(&Value) -> bool;

/// What is not offered, with the values that are taken all the same.
const NOT_OFFERED: [(&str, AsksForNothing); 11] = [
    ("n", |value| value.as_u64() == Some(1)),
    ("tools", is_empty),
    ("functions", is_empty),
    ("tool_choice", is_one_of_none),
    ("function_call", is_one_of_none),
    ("response_format", |value| value["type"] == "text"),
    ("logprobs", |value| *value == false),
    ("top_logprobs", |value| value.as_u64() == Some(0)),
    ("logit_bias", is_empty),
    ("modalities", |value| value.as_array().is_some_and(|all| all.iter().all(|one| one == "text"))),
    ("audio", |_| false),
];

/// A request that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChatRequest {
    /// The chat, the user's last message at its end.
    pub(super) query: Query,
    /// Where the answer ends.
    pub(super) ends: Ends,
    /// Whether it comes in slices, and then whether the usage comes at their end.
    pub(super) stream: Option<Streaming>,
}

/// How a stream is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Streaming {
    /// Whether the usage comes at the end.
    pub(super) include_usage: bool,
}

impl ChatRequest {
    /// Understands a body; `models` are the names of the model.
    ///
    /// # Errors
    /// The reply that says what is wrong.
    pub(super) fn parse(body: &[u8], models: &[&str]) -> Result<Self, ApiError> {
        let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
            ApiError::body(format!("the body is no JSON object: {}", shown(&error.to_string())))
        })?;
        let fields = Fields(fields);
        let model = fields.text("model")?.ok_or_else(|| missing("model"))?;
        if !models.contains(&model) {
            return Err(ApiError::Model(shown(model)));
        }
        fields.refuse_what_is_not_offered()?;
        let stream = fields.streaming()?;
        let ends = Ends { stop: fields.stop()?, max_tokens: fields.max_tokens()? };
        let messages = fields.get("messages").ok_or_else(|| missing("messages"))?;
        Ok(Self { query: messages::query(messages)?, ends, stream })
    }
}

/// The fields of a request.
struct Fields(Map<String, Value>);

impl Fields {
    /// A field that is there and not null.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.get(name) {
            Some(value) if !value.is_string() => {
                Err(ApiError::field(name, format!("`{name}` has to be a string")))
            }
            value => Ok(value.and_then(Value::as_str)),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, ApiError> {
        let Some(value) = self.get(name) else { return Ok(false) };
        value
            .as_bool()
            .ok_or_else(|| ApiError::field(name, format!("`{name}` has to be true or false")))
    }

    fn refuse_what_is_not_offered(&self) -> Result<(), ApiError> {
        for (name, asks_for_nothing) in NOT_OFFERED {
            if self.get(name).is_some_and(|value| !asks_for_nothing(value)) {
                let message = format!("`{name}` is not offered here; leave it out");
                return Err(ApiError::field(name, message));
            }
        }
        for name in TASTES {
            if self.get(name).is_some_and(|value| !value.is_number()) {
                return Err(ApiError::field(name, format!("`{name}` has to be a number")));
            }
        }
        Ok(())
    }

    fn streaming(&self) -> Result<Option<Streaming>, ApiError> {
        let options = self.get("stream_options");
        if !self.flag("stream")? {
            return match options {
                None => Ok(None),
                Some(_) => Err(ApiError::field(
                    "stream_options",
                    "`stream_options` is only for requests with `stream`: true",
                )),
            };
        }
        let Some(options) = options else { return Ok(Some(Streaming { include_usage: false })) };
        let wrong = |message| ApiError::field("stream_options", message);
        let options =
            options.as_object().ok_or_else(|| wrong("`stream_options` has to be an object"))?;
        let include_usage = match options.get("include_usage") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(wanted)) => *wanted,
            Some(_) => return Err(wrong("`stream_options.include_usage` has to be true or false")),
        };
        Ok(Some(Streaming { include_usage }))
    }

    fn max_tokens(&self) -> Result<Option<u64>, ApiError> {
        let positive = |name: &str| {
            let Some(value) = self.get(name) else { return Ok(None) };
            let most = value.as_u64().filter(|most| *most > 0);
            most.map(Some).ok_or_else(|| {
                ApiError::field(name, format!("`{name}` has to be a whole number from 1"))
            })
        };
        // The first is the older name of the second.
        let (old, new) = (positive("max_tokens")?, positive("max_completion_tokens")?);
        Ok(new.or(old))
    }

    fn stop(&self) -> Result<Vec<String>, ApiError> {
        let Some(value) = self.get("stop") else { return Ok(Vec::new()) };
        let one = |value: &Value| value.as_str().filter(|stop| !stop.is_empty()).map(str::to_owned);
        let stops: Option<Vec<String>> = match value {
            Value::Array(all) if all.len() <= MAX_STOPS => all.iter().map(one).collect(),
            Value::Array(_) => None,
            single => one(single).map(|stop| vec![stop]),
        };
        stops.ok_or_else(|| {
            let message =
                format!("`stop` has to be a string or up to {MAX_STOPS}, none of them empty");
            ApiError::field("stop", message)
        })
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::field(name, format!("`{name}` is missing"))
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

fn is_one_of_none(value: &Value) -> bool {
    value == "none" || value == "auto"
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sn1_actors::domain::Role;

    use super::*;

    fn parse(change: &Value) -> Result<ChatRequest, ApiError> {
        let mut body = json!({"model": "sn1", "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        ChatRequest::parse(body.to_string().as_bytes(), &["ours", "sn1"])
    }

    /// Which parameter is refused.
    fn refused(change: &Value) -> String {
        match parse(change) {
            Err(ApiError::Field { param: Some(param), .. }) => param,
            other => panic!("{change}: {other:?}"),
        }
    }

    #[test]
    fn what_asks_for_nothing_special_is_taken() {
        let plain = parse(&json!({})).unwrap();
        assert_eq!(plain.query, Query::from_user("hi"));
        assert_eq!((&plain.ends, plain.stream), (&Ends::default(), None));
        for same in [
            json!({"n": 1, "tools": [], "tool_choice": "none", "logprobs": false, "stop": null}),
            json!({"response_format": {"type": "text"}, "logit_bias": {}, "modalities": ["text"]}),
            json!({"temperature": 0.3, "top_p": 1, "seed": -5, "presence_penalty": 0.1}),
            json!({"user": "u", "metadata": {"a": 1}, "nobody_knows": [{"x": []}], "model": "ours"}),
            json!({"stream": false, "stream_options": null, "max_tokens": null}),
        ] {
            assert_eq!(parse(&same).unwrap(), plain, "{same}");
        }
    }

    #[test]
    fn what_is_not_offered_is_refused_by_its_name() {
        for (name, value) in [
            ("n", json!(2)),
            ("n", json!(0)),
            ("n", json!("1")),
            ("tools", json!([{"type": "function"}])),
            ("functions", json!([{}])),
            ("tool_choice", json!("required")),
            ("response_format", json!({"type": "json_object"})),
            ("response_format", json!("json")),
            ("logprobs", json!(true)),
            ("top_logprobs", json!(2)),
            ("logit_bias", json!({"50256": -100})),
            ("modalities", json!(["text", "audio"])),
            ("audio", json!({"voice": "alloy"})),
            ("temperature", json!("hot")),
            ("stream", json!("yes")),
            ("stream_options", json!({"include_usage": true})),
            ("max_tokens", json!(0)),
            ("max_tokens", json!(1.5)),
            ("max_completion_tokens", json!(-1)),
            ("stop", json!("")),
            ("stop", json!(["a", ""])),
            ("stop", json!(["a", "b", "c", "d", "e"])),
            ("stop", json!({"a": 1})),
            ("model", json!(7)),
            ("model", json!(null)),
            ("messages", json!(null)),
        ] {
            assert_eq!(refused(&json!({name: value})), name, "{value}");
        }
        let options = json!({"stream": true, "stream_options": {"include_usage": "yes"}});
        assert_eq!(refused(&options), "stream_options");
        assert_eq!(parse(&json!({"model": "gpt-4"})), Err(ApiError::Model("gpt-4".into())));
        for body in ["", "{", "[]", "null", "\"x\"", &"[".repeat(100_000)] {
            let parsed = ChatRequest::parse(body.as_bytes(), &["sn1"]);
            assert!(matches!(parsed, Err(ApiError::Field { param: None, .. })), "{parsed:?}");
        }
    }

    #[test]
    fn where_the_answer_ends_and_how_it_comes_is_understood() {
        let ends = |change: &Value| parse(change).unwrap().ends;
        let stops = |stops: &[&str]| stops.iter().map(|stop| (*stop).to_owned()).collect();
        let expected = Ends { stop: stops(&["\n"]), max_tokens: Some(5) };
        assert_eq!(ends(&json!({"stop": "\n", "max_tokens": 5})), expected);
        let both = json!({"stop": ["a", "b"], "max_tokens": 5, "max_completion_tokens": 7});
        assert_eq!(ends(&both), Ends { stop: stops(&["a", "b"]), max_tokens: Some(7) });
        let stream = |options: Value| {
            parse(&json!({"stream": true, "stream_options": options})).unwrap().stream.unwrap()
        };
        assert!(stream(json!({"include_usage": true, "other": 1})).include_usage);
        assert!(!stream(json!({})).include_usage && !stream(json!(null)).include_usage);
    }

    #[test]
    fn a_chat_becomes_a_query_with_its_roles() {
        let chat = json!({"messages": [
            {"role": "developer", "content": "Be brief.", "name": "boss"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": "c", "tool_calls": null, "refusal": null},
            {"role": "user", "content": " d "},
        ]});
        let Query { roles, messages } = parse(&chat).unwrap().query;
        assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::User]);
        assert_eq!(messages, ["Be brief.", "a\nb", "c", " d "]);
    }

    #[test]
    fn empty_messages_before_the_last_are_left_out() {
        let chat = json!({"messages": [
            {"role": "system", "content": ""},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": " "},
            {"role": "user", "content": "b"},
        ]});
        let Query { roles, messages } = parse(&chat).unwrap().query;
        assert_eq!((&*roles, &*messages), (&[Role::User; 2][..], &["a".into(), "b".into()][..]));
    }

    #[test]
    fn a_chat_that_cannot_be_asked_is_refused_where_it_is_wrong() {
        let user = json!({"role": "user", "content": "hi"});
        let text = json!({"type": "text", "text": "hi"});
        let image = json!({"type": "image_url", "image_url": {"url": "data:"}});
        for (messages, param) in [
            (json!([]), "messages"),
            (json!("hi"), "messages"),
            (json!(vec![user.clone(); messages::MAX_MESSAGES + 1]), "messages"),
            (json!([user, {"role": "assistant", "content": "hi"}]), "messages"),
            (json!([user, 7]), "messages[1]"),
            (json!([{"content": "hi"}]), "messages[0].role"),
            (json!([{"role": "tool", "content": "hi"}, user]), "messages[0].role"),
            (json!([{"role": 1, "content": "hi"}]), "messages[0].role"),
            (json!([{"role": "user"}]), "messages[0].content"),
            (json!([{"role": "user", "content": null}]), "messages[0].content"),
            (json!([{"role": "user", "content": " \n"}]), "messages[0].content"),
            (json!([{"role": "user", "content": []}]), "messages[0].content"),
            (json!([{"role": "user", "content": 7}]), "messages[0].content"),
            (json!([{"role": "user", "content": [text, image]}]), "messages[0].content[1]"),
            (json!([{"role": "user", "content": [{"type": "text"}]}]), "messages[0].content[0]"),
            (json!([{"role": "user", "content": ["hi"]}]), "messages[0].content[0]"),
            (
                json!([user, {"role": "assistant", "content": "x", "tool_calls": [{}]}, user]),
                "messages[1].tool_calls",
            ),
        ] {
            assert_eq!(refused(&json!({"messages": messages})), param, "{messages}");
        }
        let most = json!({"messages": vec![user; messages::MAX_MESSAGES]});
        assert_eq!(parse(&most).unwrap().query.roles.len(), messages::MAX_MESSAGES);
    }
}
