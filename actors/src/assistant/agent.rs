//! How an agent answers: it solves what it can itself, and looks up what it is asked about, all
//! within the caller's time.
//!
//! What is found is trusted only if it is what was asked for: the title of an article, the words of a
//! question or of a dated fact, most lines of a file. A date is told and broken code given back as it
//! was; for the rest the model reads the passage that tells most and answers from it, and where it
//! does not, the best sentences of the passage are the answer. Where nothing is found the model
//! answers by itself, by the agent's instructions.

mod code;
mod dates;
mod extract;
mod reading;
mod subject;
mod tidy;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::sync::mpsc;

use super::{AssistantDeps, RespondError, last_message, solver};
use crate::domain::{ChatMessage, Context, Moment, Query, Sampling, SourceKind};
use crate::ports::{Piece, Want};
use crate::tool_fetcher::fetch;
use extract::Extract;
use reading::Ask;
use subject::Subject;

/// Sentences of a summary.
const SUMMARY: usize = 5;
/// Sentences that answer a question.
const ANSWER: usize = 3;
/// How a summary is to be written.
const PLAINLY: &str = "in one short paragraph of plain sentences";
/// What the model is told besides the operator's system prompt.
const GUIDE: &str = "Answer the last message directly, in a few complete sentences, with the facts \
                     first. Do not greet, and do not speak of yourself.";

impl AssistantDeps {
    /// The answer of an agent.
    pub(super) async fn as_agent(
        &self,
        query: &Query,
        pieces: Option<mpsc::Sender<Piece>>,
        deadline: Moment,
    ) -> Result<String, RespondError> {
        let asked = subject::asked(query);
        let known = match asked.iter().find_map(|message| solver::solve(message)) {
            Some(solution) => Some(solution),
            None => self.looked_up(&asked, query, deadline).await,
        };
        let answer = match known {
            Some(answer) => answer,
            None => self.by_itself(query, deadline).await?,
        };
        Ok(self.spoken(answer, pieces, deadline).await)
    }

    /// What the tools know: of the code that was pasted, of the question as it was asked, of what it
    /// is about.
    async fn looked_up(&self, asked: &[&str], query: &Query, deadline: Moment) -> Option<String> {
        for block in code::pasted(asked) {
            if let Some(file) = self.find(SourceKind::Code, block.to_owned(), deadline).await
                && let Some(mended) = code::mended(&file, block)
            {
                return Some(mended);
            }
        }
        for message in asked {
            if let Some(context) =
                self.find(SourceKind::Question, code::prose(message), deadline).await
                && subject::is_answered(message, &context)
            {
                let (title, extract) = (&context.title, extract::lead(&context, ANSWER)?);
                let asks = answering(title);
                return Some(self.read_passage(title, &extract, &asks, query, deadline).await);
            }
        }
        if reading::brings_text(last_message(query)) {
            return None;
        }
        for subject in subject::of(asked) {
            if subject.ask == Ask::OwnText {
                return None;
            }
            if subject.ask == Ask::When
                && let Some(fact) =
                    self.find(SourceKind::DatedFact, subject.searched(), deadline).await
                && let Some(date) = dates::of_fact(&fact, &subject.asked)
            {
                return Some(date);
            }
            if let Some(context) = self.article(&subject, deadline).await {
                return self.answer_from(&context, &subject, query, deadline).await;
            }
        }
        None
    }

    /// The article that tells of a subject.
    async fn article(&self, subject: &Subject, deadline: Moment) -> Option<Context> {
        if let Some(title) = reading::quoted(&subject.asked)
            && let Some(context) = self.fetch(Want::Title(title), deadline).await
            && subject.is_of(&context)
        {
            return Some(context);
        }
        let found = self.find(SourceKind::Article, subject.searched(), deadline).await?;
        (subject.is_of(&found) || subject.is_told_in(&found)).then_some(found)
    }

    async fn find(&self, kind: SourceKind, text: String, deadline: Moment) -> Option<Context> {
        self.fetch(Want::Search(kind, text), deadline).await
    }

    async fn fetch(&self, want: Want, deadline: Moment) -> Option<Context> {
        // The model has to have time left when a source takes long.
        let patience = deadline.since(self.clock.now()) / 3;
        let random = ChaCha8Rng::seed_from_u64(0);
        fetch(&self.tool_fetcher, want, random, patience).await.ok()
    }

    /// An answer from what was found; none if there is no sentence in it.
    async fn answer_from(
        &self,
        context: &Context,
        subject: &Subject,
        query: &Query,
        deadline: Moment,
    ) -> Option<String> {
        let title = &context.title;
        if subject.ask == Ask::When
            && let Some(date) = dates::told(context, &subject.asked)
        {
            return Some(date);
        }
        let (extract, asks) = if subject.ask == Ask::Summary || subject.is_whole(context) {
            let asks = format!("Sum up what the text says about {title}, {PLAINLY}.");
            (extract::lead(context, SUMMARY)?, asks)
        } else {
            (extract::best(context, &subject.told(), ANSWER)?, answering(&subject.asked))
        };
        Some(self.read_passage(title, &extract, &asks, query, deadline).await)
    }

    /// What the model makes of a passage; its best sentences, where that is nothing or too late.
    async fn read_passage(
        &self,
        title: &str,
        extract: &Extract,
        asks: &str,
        query: &Query,
        deadline: Moment,
    ) -> String {
        let prompt = format!("Text about {title}:\n{}\n\n{asks}", extract.passage);
        let system = ChatMessage::system(self.config.system_prompt.clone());
        let chat = vec![system, ChatMessage::user(prompt)];
        // The likeliest words are those of the text.
        let sampling = Sampling { temperature: 0.0, ..self.config.sampling };
        match self.generate(chat, sampling, query, None, self.writing_ends(deadline)).await {
            Ok(text) if extract.is_used_in(&text, asks) => tidy::tidied(&text),
            Ok(_) => extract.best.clone(),
            Err(RespondError::Failed(cause)) => {
                tracing::debug!("an agent answers without the model: {cause}");
                extract.best.clone()
            }
        }
    }

    /// What the model writes by the agent's instructions.
    async fn by_itself(&self, query: &Query, deadline: Moment) -> Result<String, RespondError> {
        let mut chat = self.chat(query);
        if let Some(system) = chat.first_mut() {
            system.content = format!("{}\n\n{GUIDE}", system.content);
        }
        let sampling = self.config.sampling;
        let text = self.generate(chat, sampling, query, None, self.writing_ends(deadline)).await?;
        Ok(tidy::tidied(&text))
    }

    /// When the model has to be done: what it wrote has to be sent as well.
    fn writing_ends(&self, deadline: Moment) -> Moment {
        let now = self.clock.now();
        now.after(deadline.since(now).mul_f64(0.8))
    }
}

/// What the model is to do with a text that answers a question.
fn answering(question: &str) -> String {
    format!("Question: {question}\nAnswer the question from the text.")
}
