//! One request to one server over HTTP, every wait and every size bounded.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode};
use sn1_actors::domain::{FinishReason, Moment};
use sn1_actors::model_worker::growing_text::GrowingText;
use sn1_actors::model_worker::stop_strings::StopStrings;
use sn1_actors::ports::{Clock, Piece, TextRequest};
use sn1_actors::text::shown::shown;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::RemoteOptions;
use super::failure::Failure;
use super::protocol::{
    ChatBody, Chunk, Completion, ErrorBody, ModelList, Usage, complains_of_extensions,
    finish_reason, refusal,
};
use super::server::Server;
use super::sse::SseParser;

/// The longest refusal and list of models that is read, in bytes.
const MAX_SMALL_BODY: usize = 1 << 20;
/// What an answer may take on the wire: so many bytes, and more for each token.
const BODY_BASE: usize = 1 << 16;
const BODY_PER_TOKEN: usize = 1 << 12;

/// How servers are asked.
pub(super) struct Exchange<'a> {
    pub(super) http: &'a reqwest::Client,
    pub(super) clock: &'a dyn Clock,
    pub(super) options: &'a RemoteOptions,
}

/// An answer that is complete.
pub(super) struct Answered {
    pub(super) text: String,
    pub(super) finish_reason: FinishReason,
    pub(super) usage: Option<Usage>,
    /// When the request was sent, the first text came and the last.
    pub(super) sent: Moment,
    pub(super) first: Moment,
    pub(super) last: Moment,
}

/// How far an answer is.
struct Progress {
    text: GrowingText,
    first: Option<Moment>,
    last: Moment,
    reason: Option<FinishReason>,
    usage: Option<Usage>,
    ended: bool,
}

/// A reply under way.
struct Reading {
    response: Response,
    events: SseParser,
    read: usize,
    limit: usize,
    at_end: bool,
}

impl Exchange<'_> {
    /// The models that a server has.
    pub(super) async fn models(&self, server: &Server) -> Result<ModelList, Failure> {
        let get = async {
            let request = self.http.get(server.base.of("models"));
            let mut response = self.send(request).await?;
            let body = read_small(&mut response).await?;
            if response.status() != StatusCode::OK {
                return Err(self.refused(&response, &body));
            }
            serde_json::from_slice(&body)
                .map_err(|error| Failure::Failed(format!("sent no list of models: {error}")))
        };
        let limit = self.options.probe_timeout;
        match timeout(limit, get).await {
            // A list that cannot be had is the server's fault, not that of some request.
            Ok(Err(Failure::Request(reason) | Failure::NotFound(reason))) => {
                Err(Failure::Failed(format!("has no list of models: {reason}")))
            }
            Ok(result) => result,
            Err(_) => Err(Failure::Failed(format!("sent no list of models within {limit:?}"))),
        }
    }

    /// Has a chat continued by a server; `began` is called at the first text.
    pub(super) async fn chat(
        &self,
        server: &Server,
        model: &str,
        request: &TextRequest,
        pieces: Option<&mpsc::Sender<Piece>>,
        began: impl FnMut() + Send,
    ) -> Result<Answered, Failure> {
        let sent = self.clock.now();
        // Servers cut at stop strings themselves; one that does not is held to it here.
        let stop = StopStrings::new(request.stop.clone());
        let stop = stop.map_err(|refusal| Failure::Request(refusal.to_string()))?;
        let mut progress = Progress {
            text: GrowingText::new(stop),
            first: None,
            last: sent,
            reason: None,
            usage: None,
            ended: false,
        };
        let run = Box::pin(self.run(server, model, request, pieces, began, &mut progress));
        let limit = self.options.total_timeout;
        let outcome = match timeout(limit, run).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Failed(format!("took longer than {limit:?}"))),
        };
        match outcome {
            Ok(()) => {
                let Progress { text, first, last, reason, usage, .. } = progress;
                Ok(Answered {
                    text: text.into_text(),
                    finish_reason: reason.unwrap_or(FinishReason::Stop),
                    usage,
                    sent,
                    first: first.unwrap_or(last),
                    last,
                })
            }
            // Whatever it is: another server cannot go on.
            Err(
                Failure::Failed(reason)
                | Failure::Request(reason)
                | Failure::NotFound(reason)
                | Failure::Busy { reason, .. },
            ) if progress.first.is_some() => Err(Failure::BrokenOff(reason)),
            Err(failure) => Err(failure),
        }
    }

    async fn run(
        &self,
        server: &Server,
        model: &str,
        request: &TextRequest,
        pieces: Option<&mpsc::Sender<Piece>>,
        mut began: impl FnMut() + Send,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let limit = self.options.first_token_timeout;
        let open = self.open(server, model, request, progress);
        let (piece, reading) = match timeout(limit, open).await {
            Ok(opening) => opening?,
            Err(_) => return Err(Failure::Failed(format!("sent no text within {limit:?}"))),
        };
        if progress.first.is_some() {
            began();
        }
        self.give(pieces, piece).await?;
        let Some(mut reading) = reading else {
            return self.give(pieces, progress.text.last_piece()).await;
        };
        let limit = self.options.idle_timeout;
        while !progress.ended {
            match timeout(limit, self.piece(&mut reading, progress)).await {
                Ok(piece) => self.give(pieces, piece?).await?,
                // It has said all that counts: that it leaves the stream open harms nobody.
                Err(_) if progress.reason.is_some() => break,
                Err(_) => return Err(Failure::Failed(format!("fell silent for {limit:?}"))),
            }
        }
        self.give(pieces, progress.text.last_piece()).await
    }

    /// Sends the request and waits for the first text, or for the end; gives the first piece, and
    /// the reply unless that was all of it.
    async fn open(
        &self,
        server: &Server,
        model: &str,
        request: &TextRequest,
        progress: &mut Progress,
    ) -> Result<(Piece, Option<Reading>), Failure> {
        let mut response = self.ask(server, model, request).await?;
        let per_token = request.sampling.max_new_tokens.saturating_mul(BODY_PER_TOKEN);
        let limit = BODY_BASE.saturating_add(per_token).min(self.options.max_body);
        if is(&response, "application/json") {
            let body = read_body(&mut response, limit).await?;
            return Ok((progress.take_whole(&body, self.clock.now())?, None));
        }
        if !is(&response, "text/event-stream") {
            return Err(Failure::Failed("sent neither an event stream nor JSON".into()));
        }
        let mut reading =
            Reading { response, events: SseParser::default(), read: 0, limit, at_end: false };
        let mut piece = Piece::new();
        while progress.first.is_none() && !progress.ended {
            piece = self.piece(&mut reading, progress).await?;
        }
        Ok((piece, Some(reading)))
    }

    /// Sends the request and reads the head of the reply. If the server complains of fields that it
    /// does not know, it is asked once more without them.
    async fn ask(
        &self,
        server: &Server,
        model: &str,
        request: &TextRequest,
    ) -> Result<Response, Failure> {
        loop {
            let extended = server.is_extended();
            let body = ChatBody::new(model, request, extended);
            let post = self.http.post(server.base.of("chat/completions")).json(&body);
            let mut response = self.send(post).await?;
            let status = response.status();
            if status == StatusCode::OK {
                return Ok(response);
            }
            let body = read_small(&mut response).await?;
            let wrong = matches!(status.as_u16(), 400 | 422);
            if wrong && extended && complains_of_extensions(&refusal(&body)) {
                tracing::info!(server = %server.base, "takes no fields beyond the OpenAI protocol");
                server.is_not_extended();
                continue;
            }
            return Err(self.refused(&response, &body));
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = match &self.options.api_key {
            Some(key) => request.header(AUTHORIZATION, key.header().clone()),
            None => request,
        };
        request.send().await.map_err(|error| Failure::of_http(&error))
    }

    fn refused(&self, response: &Response, body: &[u8]) -> Failure {
        let key = self.options.api_key.as_ref();
        Failure::of_status(response.status(), response.headers(), body, key, self.clock.unix())
    }

    /// Reads on until there is a sign of life: new text, a thought, or the end.
    async fn piece(
        &self,
        reading: &mut Reading,
        progress: &mut Progress,
    ) -> Result<Piece, Failure> {
        loop {
            while let Some(event) = reading.events.next() {
                let alive = progress.take_event(&event, self.clock.now())?;
                if progress.ended || alive.is_some() {
                    return Ok(alive.unwrap_or_default());
                }
            }
            if reading.at_end {
                progress.end_of_stream()?;
                return Ok(Piece::new());
            }
            reading.more(progress.reason.is_some()).await?;
        }
    }

    /// Gives a piece to whoever wants it. One who went away does not mind missing it.
    async fn give(
        &self,
        pieces: Option<&mpsc::Sender<Piece>>,
        piece: Piece,
    ) -> Result<(), Failure> {
        let Some(pieces) = pieces.filter(|_| !piece.is_empty()) else { return Ok(()) };
        match timeout(self.options.idle_timeout, pieces.send(piece)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::Unread),
        }
    }
}

impl Reading {
    /// Reads some bytes. A connection that breaks behind the last text (`complete`) just ends.
    async fn more(&mut self, complete: bool) -> Result<(), Failure> {
        let garbage =
            |error: super::sse::SseError| Failure::Failed(format!("sent garbage: {error}"));
        match self.response.chunk().await {
            Ok(Some(bytes)) => {
                self.read = self.read.saturating_add(bytes.len());
                if self.read > self.limit {
                    return Err(too_long(self.limit));
                }
                self.events.feed(&bytes).map_err(garbage)
            }
            Ok(None) => {
                self.at_end = true;
                self.events.end().map_err(garbage)
            }
            Err(_) if complete => {
                self.at_end = true;
                Ok(())
            }
            Err(error) => Err(Failure::of_http(&error)),
        }
    }
}

impl Progress {
    /// What an event adds; `None` if it is no sign of life.
    fn take_event(&mut self, event: &str, now: Moment) -> Result<Option<Piece>, Failure> {
        if event.trim() == "[DONE]" {
            self.ended = true;
            return Ok(None);
        }
        let chunk: Chunk = serde_json::from_str(event)
            .map_err(|error| Failure::Failed(format!("sent garbage: {error}")))?;
        check(chunk.error.as_ref())?;
        self.usage = chunk.usage.or(self.usage);
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(None) };
        let thought = choice.delta.reasoning_content.is_some_and(|thought| !thought.is_empty());
        let text = choice.delta.content.unwrap_or_default();
        let alive = thought || !text.is_empty();
        if alive {
            self.first.get_or_insert(now);
            self.last = now;
        }
        let piece = self.take_text(&text);
        self.take_reason(choice.finish_reason.as_deref())?;
        Ok(alive.then_some(piece))
    }

    fn take_whole(&mut self, body: &[u8], now: Moment) -> Result<Piece, Failure> {
        let whole: Completion = serde_json::from_slice(body)
            .map_err(|error| Failure::Failed(format!("sent garbage: {error}")))?;
        check(whole.error.as_ref())?;
        self.usage = whole.usage;
        let Some(choice) = whole.choices.into_iter().next() else {
            return Err(Failure::Failed("sent no choices".into()));
        };
        self.take_reason(choice.finish_reason.as_deref())?;
        self.ended = true;
        (self.first, self.last) = (Some(now), now);
        Ok(self.take_text(&choice.message.content.unwrap_or_default()))
    }

    fn take_text(&mut self, text: &str) -> Piece {
        self.text.push(text);
        let piece = self.text.next_piece();
        if self.text.is_stopped() {
            self.reason = Some(FinishReason::Stop);
            self.ended = true;
        }
        piece
    }

    fn take_reason(&mut self, said: Option<&str>) -> Result<(), Failure> {
        let Some(said) = said else { return Ok(()) };
        let reason = finish_reason(said)
            .ok_or_else(|| Failure::Failed(format!("gave up: {}", shown(said))))?;
        self.reason.get_or_insert(reason);
        Ok(())
    }

    /// The stream ends without `[DONE]`: that is well if the answer had its end.
    fn end_of_stream(&mut self) -> Result<(), Failure> {
        if self.reason.is_none() {
            return Err(Failure::Failed("ended the stream before the answer".into()));
        }
        self.ended = true;
        Ok(())
    }
}

/// An error that came with status 200.
fn check(error: Option<&ErrorBody>) -> Result<(), Failure> {
    let Some(error) = error else { return Ok(()) };
    let message = shown(&error.message());
    match error.status() {
        Some(400 | 422) => Err(Failure::Request(message)),
        Some(404) => Err(Failure::NotFound(message)),
        Some(429 | 503) => Err(Failure::Busy { rest: None, reason: message }),
        _ => Err(Failure::Failed(message)),
    }
}

fn is(response: &Response, content_type: &str) -> bool {
    let headers: &HeaderMap = response.headers();
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(content_type)
}

fn too_long(limit: usize) -> Failure {
    Failure::Failed(format!("sent more than {limit} bytes"))
}

async fn read_small(response: &mut Response) -> Result<Vec<u8>, Failure> {
    read_body(response, MAX_SMALL_BODY).await
}

async fn read_body(response: &mut Response, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|error| Failure::of_http(&error))? {
        if body.len() + bytes.len() > limit {
            return Err(too_long(limit));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}
