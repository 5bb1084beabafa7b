//! What measures answers without a validator, for `sn1 score` and `sn1 replay`.

use std::time::Duration;

use sn1_actors::reward_scorer::judge::Bench;
use sn1_actors::reward_scorer::rewards::Measures;

use super::one_actor::{self, Workplace};
use crate::config::Settings;
use crate::wiring::model;

/// Nobody but the user at the terminal says when an embedding takes too long.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// One bench for each embedding model, started when it is first needed. No text model is loaded,
/// and none at all where no measure embeds.
pub(super) struct Benches {
    settings: Settings,
    started: Vec<(String, Workplace)>,
}

impl Benches {
    /// None is started yet.
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, started: Vec::new() }
    }

    /// A bench for these measures, which embeds by the model of that name if it has to.
    ///
    /// # Errors
    /// If the model is unknown, cannot be had or cannot be loaded.
    pub(super) async fn bench(
        &mut self,
        measures: &Measures,
        embedder: &str,
    ) -> anyhow::Result<Bench> {
        let name = if measures.embed() { embedder } else { model::FAKE };
        let started = self.started.iter().find(|(known, _)| known == name);
        if let Some((_, place)) = started {
            return Ok(bench(place));
        }
        let place = one_actor::start_embedder(&self.settings, name).await?;
        let bench = bench(&place);
        self.started.push((name.to_owned(), place));
        Ok(bench)
    }
}

fn bench(place: &Workplace) -> Bench {
    Bench {
        model_worker: place.shared.embed.clone(),
        patience: PATIENCE,
        clock: place.overseer.clock(),
        tasks: place.overseer.tasks().clone(),
    }
}
