//! The chat of a request, as a query to miners.

use serde_json::Value;
use sn1_actors::domain::{Query, Role};
use sn1_actors::text::shown::shown;

use super::error::ApiError;

/// The most messages of a chat.
pub(super) const MAX_MESSAGES: usize = 256;

/// What a chat asks.
///
/// # Errors
/// The reply that says what is wrong, and where.
pub(super) fn query(chat: &Value) -> Result<Query, ApiError> {
    let wrong = |message: &str| ApiError::field("messages", message);
    let chat = chat.as_array().ok_or_else(|| wrong("`messages` has to be a list"))?;
    if chat.len() > MAX_MESSAGES {
        return Err(wrong(&format!("at most {MAX_MESSAGES} `messages` are taken")));
    }
    let mut query = Query { roles: Vec::new(), messages: Vec::new() };
    let mut last = None;
    for (at, message) in chat.iter().enumerate() {
        let (role, content) = read(message, &format!("messages[{at}]"))?;
        last = Some((role, content.trim().is_empty()));
        // Clients send an empty system prompt where there is none, and an answer that a stop cut at
        // its beginning.
        if !content.trim().is_empty() {
            query.roles.push(role);
            query.messages.push(content);
        }
    }
    match last {
        Some((Role::User, false)) => Ok(query),
        Some((Role::User, true)) => {
            let place = format!("messages[{}].content", chat.len() - 1);
            let message = format!("`{place}` is empty");
            Err(ApiError::field(place, message))
        }
        Some((Role::System | Role::Assistant, _)) => {
            Err(wrong("the last message has to be the user's"))
        }
        None => Err(wrong("`messages` is empty")),
    }
}

fn read(message: &Value, place: &str) -> Result<(Role, String), ApiError> {
    if !message.is_object() {
        return Err(ApiError::field(place, format!("`{place}` has to be an object")));
    }
    for tool in ["tool_calls", "function_call"] {
        if !message[tool].is_null() {
            let place = format!("{place}.{tool}");
            let message = format!("`{place}`: tools are not offered here; leave it out");
            return Err(ApiError::field(place, message));
        }
    }
    let role = role(&message["role"], format!("{place}.role"))?;
    Ok((role, content(&message["content"], format!("{place}.content"))?))
}

fn role(role: &Value, place: String) -> Result<Role, ApiError> {
    match role.as_str() {
        // The younger name of the same.
        Some("system" | "developer") => Ok(Role::System),
        Some("user") => Ok(Role::User),
        Some("assistant") => Ok(Role::Assistant),
        Some(other) => {
            let known = "system, developer, user and assistant";
            let message = format!("`{place}`: no role `{}` is taken, only {known}", shown(other));
            Err(ApiError::field(place, message))
        }
        None => {
            let message = format!("`{place}` has to be a string");
            Err(ApiError::field(place, message))
        }
    }
}

/// A text, or parts of one, which become paragraphs.
fn content(content: &Value, place: String) -> Result<String, ApiError> {
    match content {
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => {
            let parts = parts.iter().enumerate();
            let parts = parts.map(|(at, part)| text_part(part, || format!("{place}[{at}]")));
            Ok(parts.collect::<Result<Vec<_>, _>>()?.join("\n"))
        }
        _ => {
            let message = format!("`{place}` has to be a string or a list of text parts");
            Err(ApiError::field(place, message))
        }
    }
}

fn text_part(part: &Value, place: impl Fn() -> String) -> Result<&str, ApiError> {
    let text = part["text"].as_str().filter(|_| part["type"] == "text");
    text.ok_or_else(|| {
        let message = format!("`{}` is no part of type `text`; no other is offered here", place());
        ApiError::field(place(), message)
    })
}
