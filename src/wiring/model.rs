//! The language model: files, codec and device, or the stand-in.

use std::sync::Arc;
use std::time::Duration;

use sn1_actors::model_worker::TextSource;
use sn1_actors::model_worker::device_thread::DeviceThread;
use sn1_actors::model_worker::scheduler::SchedulerConfig;
use sn1_actors::model_worker::stand_in::{ServiceRate, StandInCodec, StandInDevice};
use sn1_actors::ports::{Clock, StepEngine};
use sn1_actors::wiring::ModelParts;

use crate::config::Settings;
use crate::engine::{EngineOptions, LocalEngine, LocalModelFiles, load_codec};
use crate::exit::{Ended, Exit};
use crate::models::{Catalogue, Environment, ModelError, Progress, PullOptions, Store};

/// The model name that means the stand-in.
pub const FAKE: &str = "fake";

/// How fast the stand-in is: about as a model of seven billion on a good GPU.
const FAKE_RATE: ServiceRate =
    ServiceRate { per_step: Duration::from_millis(1), per_row: Duration::from_micros(10) };

/// The store of model files, as configured.
///
/// # Errors
/// If there is no folder for it.
pub fn store(settings: &Settings) -> anyhow::Result<Store> {
    let environment = Environment::read();
    let folder = settings.models.dir.clone().or_else(|| Store::default_dir(&environment));
    let folder = folder.ok_or_else(|| {
        Ended::new(Exit::Usage, "there is no home folder for model files: set models.dir")
    })?;
    Ok(Store::open(folder, Catalogue::embedded()?, environment))
}

/// How the program ends when a model cannot be had.
#[must_use]
pub fn ended(error: ModelError) -> Ended {
    let exit = match &error {
        ModelError::Unknown { .. } => Exit::Usage,
        ModelError::Cache { .. } | ModelError::Space { .. } | ModelError::Record { .. } => {
            Exit::File
        }
        _ => Exit::Model,
    };
    Ended::new(exit, error)
}

/// Gets the models ready that the settings name, pulling what is missing.
///
/// # Errors
/// If a model is unknown, cannot be had or cannot be loaded.
pub async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<ModelParts> {
    // `LocalEngine` cannot take over what another sequence computed.
    let scheduler = SchedulerConfig { prefix_cache: false, ..SchedulerConfig::default() };
    if settings.neuron.model_id == FAKE {
        return Ok(ModelParts {
            text: TextSource::Local(Arc::new(StandInCodec)),
            device: Arc::new(StandInDevice::new(clock, FAKE_RATE)),
            scheduler: SchedulerConfig {
                max_sequences: 32,
                miner_share: 12,
                ..SchedulerConfig::default()
            },
        });
    }
    let store = store(settings)?;
    let options = PullOptions { progress: Progress::detect(), ..PullOptions::default() };
    let text = store.ensure(&settings.neuron.model_id, &options).await.map_err(ended)?;
    let embedder = store.ensure(&settings.neuron.embedder_id, &options).await.map_err(ended)?;
    let damaged = |error: &dyn std::fmt::Display| Ended::new(Exit::Model, error);
    let gguf = store
        .catalogue()
        .find(&settings.neuron.model_id)
        .and_then(|model| model.files.first())
        .map(|file| text.join(&file.name))
        .ok_or_else(|| Ended::new(Exit::Model, "the text model has no file"))?;
    let codec = load_codec(&gguf).map_err(|error| damaged(&error))?;
    let files = LocalModelFiles { text: gguf, embedder: Some(embedder) };
    let build = Box::new(move || {
        let engine = LocalEngine::load(&files, EngineOptions::default())
            .map_err(|error| error.to_string())?;
        Ok(Box::new(engine) as Box<dyn StepEngine>)
    });
    let device = DeviceThread::start("cpu", build).await.map_err(|error| damaged(&error))?;
    Ok(ModelParts { text: TextSource::Local(Arc::new(codec)), device: Arc::new(device), scheduler })
}
