//! How an agent answers: it solves what it can itself, looks up what it is asked about, and has the
//! model write from what it found, all within the caller's time.
//!
//! A message that brings its own text is not looked up. Where the model is late, fails or talks
//! nonsense, the best sentences of what was found are the answer.

mod dates;
mod extract;
mod reading;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::sync::mpsc;

use super::{AssistantDeps, RespondError, last_message, solver};
use crate::domain::{Context, Moment, Query};
use crate::ports::{Piece, Want};
use crate::tool_fetcher::fetch;
use extract::Found;
use reading::Ask;

/// What the model is to do with what was found.
const FROM_TEXT: &str = "Answer from the text, in two or three plain and complete sentences. State \
                         facts and do not mention the text.";
const SUM_UP: &str = "Sum up what the text says about it, in one short paragraph of plain and \
                      neutral sentences. State facts and do not mention the text.";

impl AssistantDeps {
    /// The answer of an agent.
    pub(super) async fn as_agent(
        &self,
        query: &Query,
        pieces: Option<mpsc::Sender<Piece>>,
        deadline: Moment,
    ) -> Result<String, RespondError> {
        let asked = last_message(query);
        if let Some(solution) = solver::solve(asked) {
            return Ok(self.spoken(solution, pieces, deadline).await);
        }
        let ask = reading::of(asked);
        if ask == Ask::OwnText {
            return self.write(query, None, pieces, deadline).await;
        }
        let Some(context) = self.look_up(asked, deadline).await else {
            return self.write(query, None, pieces, deadline).await;
        };
        let answer = match (ask == Ask::When).then(|| dates::told(&context, asked)).flatten() {
            Some(date) => date,
            None => self.written_from_text(query, ask, &context, deadline).await?,
        };
        Ok(self.spoken(answer, pieces, deadline).await)
    }

    /// What the tools know about a message; nothing if they know nothing.
    async fn look_up(&self, asked: &str, deadline: Moment) -> Option<Context> {
        let wants = reading::quoted(asked).map(Want::Title).into_iter();
        for want in wants.chain([Want::Search(asked.to_owned())]) {
            // The model has to have time left when a source takes long.
            let patience = deadline.since(self.clock.now()) / 3;
            let random = ChaCha8Rng::seed_from_u64(0);
            if let Ok(context) = fetch(&self.tool_fetcher, want, random, patience).await {
                return Some(context);
            }
        }
        None
    }

    /// An answer from what was found: the model's, if it is in time and of use.
    async fn written_from_text(
        &self,
        query: &Query,
        ask: Ask,
        context: &Context,
        deadline: Moment,
    ) -> Result<String, RespondError> {
        let asked = last_message(query);
        let found = match ask {
            Ask::Summary => Found::lead(context),
            Ask::Question | Ask::When | Ask::OwnText => Found::about(context, asked),
        };
        let order = if ask == Ask::Summary { SUM_UP } else { FROM_TEXT };
        let known = format!(
            "Text about {}:\n{}\n\nQuestion: {asked}\n{order}",
            context.title, found.passage
        );
        // What is found has to be sent as well.
        let left = deadline.since(self.clock.now()).mul_f64(0.8);
        let by = self.clock.now().after(left);
        match self.write(query, Some(known), None, by).await {
            Ok(text) => Ok(found.completed(&text)),
            Err(error) if found.alone().is_empty() => Err(error),
            Err(RespondError::Failed(cause)) => {
                tracing::debug!("an agent answers without the model: {cause}");
                Ok(found.alone())
            }
        }
    }
}
