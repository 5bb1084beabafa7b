//! Measures answers: against the references, against what was said before, and how they came.
//!
//! RewardScorer has a [`Judge`] for each round; `sn1 score`, `sn1 eval` and `sn1 replay` have theirs
//! without the actor. Texts are measured off the actors' thread, and embedded together as they come.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tracing::{Instrument as _, debug_span};

use crate::domain::{MinerReply, Score, StatusCode};
use crate::model_worker::{Embed, ModelError};
use crate::ports::Clock;
use crate::runtime::{Port, Tasks};
use crate::spans::{TARGET, part};
use crate::text::boundary::floor;

use super::combine::{Breakdown, Component};
use super::effort::Effort;
use super::rewards::{Manner, Measure, Measures, OfReferences, Weighted};

/// Bytes of an answer that are measured; what follows is cut. A measure of the whole reply, such as
/// of its length, sees the reply itself.
pub const MOST_MEASURED: usize = 64 * 1024;

/// Measures answers; `sn1 score` uses it without the actor.
#[derive(Clone)]
pub struct Bench {
    /// Embeds texts.
    pub model_worker: Port<Embed>,
    /// How long an embedding may take.
    pub patience: Duration,
    /// Times the measuring.
    pub clock: Arc<dyn Clock>,
    /// Where texts are measured.
    pub tasks: Tasks,
}

impl Bench {
    /// Gets ready to measure answers to one challenge.
    ///
    /// `said` is what was said before the answer, oldest first: the first of it is what all of the
    /// conversation is about, the last the challenge. A penalty is the highest over all of it.
    ///
    /// # Errors
    /// [`ModelError`] if the references cannot be embedded.
    pub async fn judge(
        &self,
        measures: Arc<Measures>,
        references: Vec<String>,
        said: Vec<String>,
    ) -> Result<Judge, ModelError> {
        let anchors = if measures.embed() {
            let penalised = measures.penalties.iter().any(|penalty| penalty.kind.embeds());
            let said: &[String] = if penalised { &said } else { &[] };
            let texts = references.iter().chain(said).cloned().chain([String::new()]).collect();
            Some(Anchors::of(self.embed(texts).await?, references.len(), said.len())?)
        } else {
            None
        };
        let exhibit = Arc::new(Exhibit { measures, references, said, anchors });
        Ok(Judge { bench: self.clone(), exhibit })
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let deadline = self.model_worker.within(self.patience);
        let span = part(|| debug_span!(target: TARGET, "embed", texts = texts.len() as i64));
        let asking = self.model_worker.ask_again(Embed { texts }, deadline);
        let embedded = asking.instrument(span).await;
        embedded.map_err(ModelError::NoAnswer)?
    }
}

/// What was measured of one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The components and the total.
    pub breakdown: Breakdown,
    /// How long the measuring took.
    pub time: Duration,
}

/// Measures the answers to one challenge.
pub struct Judge {
    bench: Bench,
    exhibit: Arc<Exhibit>,
}

impl Judge {
    /// Measures answers, each for itself and in their order. One that did not come, or is empty,
    /// earns nothing and costs nothing, and so does one whose measuring panics.
    ///
    /// # Errors
    /// [`ModelError`] if they cannot be embedded.
    pub async fn measure(&self, replies: Vec<MinerReply>) -> Result<Vec<Measured>, ModelError> {
        let began = self.bench.clock.now();
        let mut vectors = self.vectors(&replies).await?.into_iter();
        let embedded = self.bench.clock.now().since(began);
        let count = replies.iter().filter(|reply| has_come(reply)).count();
        let each = embedded / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let assessed = replies.into_iter().map(|reply| {
            let vector = if has_come(&reply) { vectors.next().flatten() } else { None };
            self.assess(reply, vector, each)
        });
        Ok(join_all(assessed).await)
    }

    /// The embeddings of the answers that came, if any measure needs them. One that the model cannot
    /// take has none, and costs the others nothing.
    async fn vectors(&self, replies: &[MinerReply]) -> Result<Vec<Option<Vec<f32>>>, ModelError> {
        let came = replies.iter().filter(|reply| has_come(reply));
        let texts: Vec<String> =
            came.map(|reply| measured_part(&reply.completion).to_owned()).collect();
        if self.exhibit.anchors.is_none() || texts.is_empty() {
            return Ok(Vec::new());
        }
        match self.bench.embed(texts.clone()).await {
            Err(ModelError::Request(_)) => {}
            embedded => return Ok(embedded?.into_iter().map(Some).collect()),
        }
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            vectors.push(match self.bench.embed(vec![text]).await {
                Ok(mut embedded) => embedded.pop(),
                Err(ModelError::Request(cause)) => {
                    tracing::warn!(%cause, "an answer cannot be embedded");
                    None
                }
                Err(error) => return Err(error),
            });
        }
        Ok(vectors)
    }

    async fn assess(
        &self,
        reply: MinerReply,
        vector: Option<Vec<f32>>,
        embedding: Duration,
    ) -> Measured {
        let nothing =
            || Measured { breakdown: nothing(&self.exhibit.measures), time: Duration::ZERO };
        if !has_come(&reply) {
            return nothing();
        }
        let (exhibit, clock) = (Arc::clone(&self.exhibit), Arc::clone(&self.bench.clock));
        let measured = self.bench.tasks.compute("measure", move || {
            let began = clock.now();
            let breakdown = exhibit.breakdown(&reply, vector.as_deref(), embedding, &*clock);
            Measured { breakdown, time: embedding + clock.now().since(began) }
        });
        measured.await.unwrap_or_else(nothing)
    }
}

/// The embeddings that answers are held against.
struct Anchors {
    references: Vec<Vec<f32>>,
    /// Empty where no penalty needs them.
    said: Vec<Vec<f32>>,
    empty: Vec<f32>,
}

impl Anchors {
    /// The vectors are those of so many references, of so many texts said and of the empty text.
    fn of(mut vectors: Vec<Vec<f32>>, references: usize, said: usize) -> Result<Self, ModelError> {
        match vectors.pop() {
            Some(empty) if vectors.len() == references + said => {
                let said = vectors.split_off(references);
                Ok(Self { references: vectors, said, empty })
            }
            _ => Err(ModelError::Failed("an embedding is missing".into())),
        }
    }
}

/// All that answers are held against.
struct Exhibit {
    measures: Arc<Measures>,
    references: Vec<String>,
    said: Vec<String>,
    anchors: Option<Anchors>,
}

impl Exhibit {
    fn breakdown(
        &self,
        reply: &MinerReply,
        vector: Option<&[f32]>,
        embedding: Duration,
        clock: &dyn Clock,
    ) -> Breakdown {
        let component = |measure: &Weighted, of: fn(&Self) -> Against<'_>| {
            let began = clock.now();
            let score = self.score(*measure, of(self), reply, vector);
            let embedding = if measure.kind.embeds() { embedding } else { Duration::ZERO };
            Component { measure: *measure, score, time: embedding + clock.now().since(began) }
        };
        let Measures { rewards, penalties, .. } = &*self.measures;
        Breakdown::new(
            rewards.iter().map(|measure| component(measure, Self::references)).collect(),
            penalties.iter().map(|measure| component(measure, Self::said)).collect(),
        )
    }

    fn references(&self) -> Against<'_> {
        let vectors = self.anchors.as_ref().map(|anchors| &*anchors.references);
        Against { texts: &self.references, vectors, of: self.measures.references }
    }

    fn said(&self) -> Against<'_> {
        let vectors = self.anchors.as_ref().map(|anchors| &*anchors.said);
        Against { texts: &self.said, vectors, of: OfReferences::Best }
    }

    /// What a measure gives against several texts.
    fn score(
        &self,
        measure: Weighted,
        against: Against<'_>,
        reply: &MinerReply,
        vector: Option<&[f32]>,
    ) -> Score {
        let completion = measured_part(&reply.completion);
        let first = self.said.first().map(String::as_str).unwrap_or_default();
        let effort = Effort::default();
        match measure.kind.measure() {
            Measure::Text(of) => {
                against.of.score(against.texts.iter().map(|text| of(text, completion, &effort)))
            }
            Measure::WithChallenge(of) => {
                let scores = against.texts.iter().map(|text| of(text, first, completion, &effort));
                against.of.score(scores)
            }
            Measure::Manner(of) => of(&Manner { references: &self.references, reply }, &effort),
            Measure::Embedding(of) => match (against.vectors, vector, &self.anchors) {
                (Some(vectors), Some(vector), Some(anchors)) => {
                    let scores = vectors.iter().map(|text| of(text, vector, &anchors.empty));
                    against.of.score(scores)
                }
                _ => Score::ZERO,
            },
        }
    }
}

/// What one measure holds an answer against.
struct Against<'a> {
    texts: &'a [String],
    vectors: Option<&'a [Vec<f32>]>,
    of: OfReferences,
}

/// The breakdown of an answer that is not there.
#[must_use]
pub fn nothing(measures: &Measures) -> Breakdown {
    let zero = |measure: &Weighted| Component {
        measure: *measure,
        score: Score::ZERO,
        time: Duration::ZERO,
    };
    let Measures { rewards, penalties, .. } = measures;
    Breakdown::new(rewards.iter().map(zero).collect(), penalties.iter().map(zero).collect())
}

/// Whether a reply has words that can be measured.
#[must_use]
pub fn has_come(reply: &MinerReply) -> bool {
    reply.status == StatusCode::OK && !reply.completion.trim().is_empty()
}

/// As much of an answer as is measured.
#[must_use]
pub fn measured_part(completion: &str) -> &str {
    completion.get(..floor(completion, MOST_MEASURED)).unwrap_or(completion)
}

#[cfg(test)]
mod tests;
