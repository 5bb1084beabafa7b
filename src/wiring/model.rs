//! The language model: files, codec and device, or the stand-in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

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
    let scheduler = SchedulerConfig {
        max_sequences: 8,
        miner_share: 3,
        prefill_rows: 32,
        sip_rows: 8,
        queue: 1_024,
    };
    if settings.neuron.model_id == FAKE {
        return Ok(ModelParts {
            codec: Arc::new(StandInCodec),
            device: Arc::new(StandInDevice::new(clock, FAKE_RATE)),
            scheduler: SchedulerConfig { max_sequences: 32, miner_share: 12, ..scheduler },
        });
    }
    let store = store(settings)?;
    let options = PullOptions { progress: Progress::detect(), ..PullOptions::default() };
    let text = locate(&store, &settings.neuron.model_id, &options).await?;
    let embedder = locate(&store, &settings.neuron.embedder_id, &options).await?;
    let damaged = |error: &dyn std::fmt::Display| Ended::new(Exit::Model, error);
    let codec = load_codec(&text).map_err(|error| damaged(&error))?;
    let files = LocalModelFiles { text, embedder: Some(embedder) };
    let build = Box::new(move || {
        let engine = LocalEngine::load(&files, EngineOptions::default())
            .map_err(|error| error.to_string())?;
        Ok(Box::new(engine) as Box<dyn StepEngine>)
    });
    let device = DeviceThread::start("cpu", build).await.map_err(|error| damaged(&error))?;
    Ok(ModelParts { codec: Arc::new(codec), device: Arc::new(device), scheduler })
}

/// Where the model of that name lies, a GGUF file or a folder: out of the store, pulled if need
/// be, or a path that the name itself is.
async fn locate(store: &Store, name: &str, options: &PullOptions) -> anyhow::Result<PathBuf> {
    let known = store.catalogue().find(name);
    if known.is_none() && is_path(name) {
        return Ok(name.into());
    }
    let folder = store.ensure(name, options).await.map_err(ended)?;
    let mut files = known.into_iter().flat_map(|model| &model.files);
    Ok(match files.find(|file| file.name.ends_with(".gguf")) {
        Some(gguf) => folder.join(&gguf.name),
        None => folder,
    })
}

fn is_path(name: &str) -> bool {
    name.contains('/') || name.ends_with(".gguf") || Path::new(name).is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_names() {
        for path in ["models/zephyr", "/a", "./a", "model.gguf", "src"] {
            assert!(is_path(path), "{path}");
        }
        for name in ["zephyr", "smollm2-135m-instruct", "", FAKE] {
            assert!(!is_path(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_model_is_a_path_or_in_the_store() {
        let folder = tempfile::TempDir::new().unwrap();
        let catalogue = Catalogue::from_toml(
            "[[models]]\nname = 'm'\nkind = 'text'\nlicence = 'MIT'\n\
             files = [{ name = 'config.json' }, { name = 'a.gguf' }]\n\
             sources = [{ from = 'local' }]\n",
        );
        let store = Store::open(folder.path(), catalogue.unwrap(), Environment::read());
        let locate = async |name: &str| locate(&store, name, &PullOptions::default()).await;
        assert_eq!(locate("./some/where").await.unwrap(), Path::new("./some/where"));
        let unknown = locate("n").await.unwrap_err();
        assert!(unknown.to_string().contains('n'), "{unknown}");
        std::fs::create_dir(folder.path().join("m")).unwrap();
        for file in ["config.json", "a.gguf"] {
            std::fs::write(folder.path().join("m").join(file), "{}").unwrap();
        }
        assert_eq!(locate("m").await.unwrap(), folder.path().join("m/a.gguf"));
    }
}
