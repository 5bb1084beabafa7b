//! A completion as a stream of server-sent events.
//!
//! The answer is there as a whole and goes out in slices between words. While it is waited for,
//! comments keep the connection alive. A failure after the stream has begun is told in a frame:
//! without one the official clients take an early end for a good one.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use sn1_actors::ports::{Clock, in_time};

use super::completion::Completion;
use super::error::ApiError;
use super::keys::Admission;
use super::reply::Ticket;
use super::request::Streaming;
use crate::connections::Busy;

/// A slice goes on for at least so many bytes.
const SLICE: usize = 24;
/// A slice that finds no blank ends after so many bytes, or at the next character.
const LONG_SLICE: usize = 256;
/// Nothing, so that nobody on the way thinks the connection dead.
const PING: &[u8] = b": ping\n\n";

/// A completion under way.
pub(super) type Completing = LocalBoxFuture<'static, Result<Completion, ApiError>>;

/// What a stream holds until its end, or until its user is gone: that the connection is in use, and
/// the key's place.
pub(super) type Held = (Option<Busy>, Rc<Admission>);

/// What a stream has to send.
pub(super) enum Source {
    /// An answer that is still waited for.
    Waiting {
        /// The answer.
        completing: Completing,
        /// What a ping is sent by.
        clock: Arc<dyn Clock>,
        /// How often.
        every: Duration,
    },
    /// An answer that is there.
    There(Completion),
}

/// The stream of a completion. Dropped, whatever is still waited for is given up.
pub(super) fn stream(
    source: Source,
    ticket: Ticket,
    streaming: Streaming,
    held: Held,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let stage = match source {
        Source::Waiting { completing, clock, every } => {
            Stage::Waiting { completing, clock, every, ping: true }
        }
        Source::There(completion) => {
            Stage::Sending(Frames::new(completion, ticket.clone(), streaming))
        }
    };
    let sending = Sending { stage, ticket, streaming };
    stream::unfold((sending, held), |(mut sending, held)| async move {
        let frame = sending.next().await?;
        Some((Ok(frame), (sending, held)))
    })
}

struct Sending {
    stage: Stage,
    ticket: Ticket,
    streaming: Streaming,
}

enum Stage {
    /// The next ping goes out at once, or later.
    Waiting {
        completing: Completing,
        clock: Arc<dyn Clock>,
        every: Duration,
        ping: bool,
    },
    Sending(Frames),
    Over,
}

impl Sending {
    async fn next(&mut self) -> Option<Bytes> {
        if let Stage::Waiting { completing, clock, every, ping } = &mut self.stage {
            let answered = if std::mem::take(ping) {
                None
            } else {
                in_time(&**clock, *every, completing).await
            };
            match answered {
                None => return Some(Bytes::from_static(PING)),
                Some(Ok(completion)) => {
                    let frames = Frames::new(completion, self.ticket.clone(), self.streaming);
                    self.stage = Stage::Sending(frames);
                }
                Some(Err(error)) => {
                    self.stage = Stage::Over;
                    return Some(frame(&error.object()));
                }
            }
        }
        match &mut self.stage {
            Stage::Sending(frames) => frames.next(),
            Stage::Waiting { .. } | Stage::Over => None,
        }
    }
}

/// The frames of a completion that is there.
struct Frames {
    completion: Completion,
    ticket: Ticket,
    streaming: Streaming,
    part: Part,
}

/// What comes next.
enum Part {
    Role,
    /// The text from this byte on.
    Text(usize),
    Usage,
    Done,
    Over,
}

impl Frames {
    fn new(completion: Completion, ticket: Ticket, streaming: Streaming) -> Self {
        Self { completion, ticket, streaming, part: Part::Role }
    }

    fn text(&mut self, from: usize) -> Value {
        let rest = self.completion.text.get(from..).unwrap_or_default();
        if rest.is_empty() {
            self.part = if self.streaming.include_usage { Part::Usage } else { Part::Done };
            return self.chunk(&json!({}), Some(self.completion.finish.as_str()));
        }
        let length = slice(rest);
        let chunk = self.chunk(&json!({"content": &rest[..length]}), None);
        self.part = Part::Text(from + length);
        chunk
    }

    fn chunk(&self, delta: &Value, finish: Option<&str>) -> Value {
        let mut chunk = self.ticket.chunk(delta, finish);
        if self.streaming.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

impl Iterator for Frames {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self.part {
            Part::Role => {
                self.part = Part::Text(0);
                let role = json!({"role": "assistant", "content": "", "refusal": null});
                Some(frame(&self.chunk(&role, None)))
            }
            Part::Text(from) => Some(frame(&self.text(from))),
            Part::Usage => {
                self.part = Part::Done;
                Some(frame(&self.ticket.usage(&self.completion)))
            }
            Part::Done => {
                self.part = Part::Over;
                Some(Bytes::from_static(b"data: [DONE]\n\n"))
            }
            Part::Over => None,
        }
    }
}

/// JSON has no line breaks of its own, so that it is one line of a frame.
fn frame(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}

/// How long the first slice of a text is: up to the end of a run of blanks, where there is one.
fn slice(text: &str) -> usize {
    let mut blank = false;
    for (at, c) in text.char_indices() {
        let after_word = blank && !c.is_whitespace();
        if at >= SLICE && after_word || at >= LONG_SLICE {
            return at;
        }
        blank = c.is_whitespace();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slices(mut text: &str) -> Vec<&str> {
        let mut slices = Vec::new();
        while !text.is_empty() {
            let (first, rest) = text.split_at(slice(text));
            slices.push(first);
            text = rest;
        }
        slices
    }

    #[test]
    fn slices_end_between_words() {
        let text = "The quick brown fox jumps over the lazy dog,\n\nand then it rests for a while.";
        let expected = [
            "The quick brown fox jumps ",
            "over the lazy dog,\n\nand ",
            "then it rests for a while.",
        ];
        assert_eq!(slices(text), expected);
        let lengths = |text: &str| slices(text).iter().map(|s| s.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&"漢".repeat(100)), [258, 42]);
        assert_eq!(lengths(&" ".repeat(300)), [256, 44]);
    }

    proptest! {
        #[test]
        fn nothing_of_a_text_is_lost_by_slicing_it(text in "(\\PC|\\s){0,600}") {
            let slices = slices(&text);
            prop_assert!(slices.iter().all(|slice| slice.len() < LONG_SLICE + 4));
            prop_assert_eq!(slices.concat(), text);
        }
    }
}
