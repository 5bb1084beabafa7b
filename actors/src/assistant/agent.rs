//! How an agent answers: it solves what it can itself, and looks up what it is asked about, all
//! within the caller's time.
//!
//! What is found is trusted only if its title was asked for; else the model answers alone, as it does
//! where a message brings its own text. A summary is the lead of what was found, a question its best
//! sentences and what the model says besides.

mod dates;
mod extract;
mod reading;
mod subject;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::sync::mpsc;

use super::{AssistantDeps, RespondError, last_message, solver};
use crate::domain::{Context, Moment, Query, SourceKind};
use crate::ports::{Piece, Want};
use crate::tool_fetcher::fetch;
use reading::Ask;
use subject::Subject;

/// Sentences of a summary.
const SUMMARY: usize = 5;
/// Sentences that answer a question.
const ANSWER: usize = 3;

impl AssistantDeps {
    /// The answer of an agent.
    pub(super) async fn as_agent(
        &self,
        query: &Query,
        pieces: Option<mpsc::Sender<Piece>>,
        deadline: Moment,
    ) -> Result<String, RespondError> {
        let asked = subject::asked(query);
        if let Some(solution) = asked.iter().find_map(|message| solver::solve(message)) {
            return Ok(self.spoken(solution, pieces, deadline).await);
        }
        let own_text = reading::brings_text(last_message(query));
        for subject in subject::of(&asked) {
            if own_text || subject.ask == Ask::OwnText {
                break;
            }
            let Some(context) = self.look_up(&subject, deadline).await else { continue };
            let Some(answer) = self.answer_from(&context, &subject, query, deadline).await else {
                break;
            };
            return Ok(self.spoken(answer, pieces, deadline).await);
        }
        self.write(query, pieces, deadline).await
    }

    /// What the tools know about a subject; nothing if what they find is about another.
    async fn look_up(&self, subject: &Subject, deadline: Moment) -> Option<Context> {
        let wants = reading::quoted(&subject.asked).map(Want::Title).into_iter();
        for want in wants.chain([Want::Search(SourceKind::Article, subject.searched())]) {
            // The model has to have time left when a source takes long.
            let patience = deadline.since(self.clock.now()) / 3;
            let random = ChaCha8Rng::seed_from_u64(0);
            if let Ok(context) = fetch(&self.tool_fetcher, want, random, patience).await
                && subject.is_of(&context)
            {
                return Some(context);
            }
        }
        None
    }

    /// An answer from what was found; none if there is no sentence in it.
    async fn answer_from(
        &self,
        context: &Context,
        subject: &Subject,
        query: &Query,
        deadline: Moment,
    ) -> Option<String> {
        if subject.ask == Ask::Summary {
            return extract::lead(context, SUMMARY);
        }
        if subject.ask == Ask::When
            && let Some(date) = dates::told(context, &subject.asked)
        {
            return Some(date);
        }
        let best = extract::best(context, &subject.asked, ANSWER)?;
        // What is found has to be sent as well.
        let left = deadline.since(self.clock.now()).mul_f64(0.8);
        match self.write(query, None, self.clock.now().after(left)).await {
            Ok(text) => Some(format!("{best} {}", text.trim()).trim_end().to_owned()),
            Err(RespondError::Failed(cause)) => {
                tracing::debug!("an agent answers without the model: {cause}");
                Some(best)
            }
        }
    }
}
