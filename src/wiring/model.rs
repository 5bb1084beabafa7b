//! The language model: files, codec and device, or the stand-in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::model_worker::TextSource;
use sn1_actors::model_worker::device_thread::DeviceThread;
use sn1_actors::model_worker::scheduler::SchedulerConfig;
use sn1_actors::model_worker::stand_in::{ServiceRate, StandInCodec, StandInDevice};
use sn1_actors::ports::{BLOCK_TOKENS, Device, StepEngine};
use sn1_actors::runtime::Overseer;
use sn1_actors::wiring::ModelParts;

use super::remote::remote;

use crate::config::{Device as DeviceName, Settings};
use crate::engine::{Embedder, EngineOptions, LocalEngine, LocalModelFiles, Place, load_codec};
use crate::exit::{Ended, Exit};
use crate::models::{Catalogue, Environment, Model, ModelError, Progress, PullOptions, Store};

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
        // Another process gets done, and a network comes back.
        ModelError::Busy { .. } => Exit::Failed,
        ModelError::Sources { failures, .. }
            if failures.iter().any(|failure| failure.cause.passes()) =>
        {
            Exit::Failed
        }
        ModelError::Sources { .. } | ModelError::WrongFile { .. } => Exit::Model,
    };
    Ended::new(exit, error)
}

/// The name of what embeds texts: the stand-in writes and embeds.
#[must_use]
pub fn embedder(settings: &Settings) -> &str {
    match settings.neuron.model_id.as_str() {
        FAKE => FAKE,
        _ => &settings.neuron.embedder_id,
    }
}

/// Gets an embedding model of that name ready, and none that writes: the stand-in takes its place.
///
/// # Errors
/// If the model is unknown, cannot be had or cannot be loaded.
pub async fn open_embedder(
    settings: &Settings,
    overseer: &Overseer,
    name: &str,
) -> anyhow::Result<ModelParts> {
    let parts = stand_in(settings, overseer);
    if name == FAKE {
        return Ok(parts);
    }
    let folder = file(settings, name).await?;
    let device = embedding_device(folder, settings.engine.threads).await?;
    Ok(ModelParts { device, ..parts })
}

fn stand_in(settings: &Settings, overseer: &Overseer) -> ModelParts {
    ModelParts {
        text: TextSource::Local(Arc::new(StandInCodec)),
        device: Arc::new(StandInDevice::new(overseer.clock(), FAKE_RATE)),
        scheduler: SchedulerConfig {
            max_sequences: 32,
            miner_share: 12,
            // Its tokens are bytes, and cost nothing.
            kv_blocks: 1 << 14,
            ..scheduler(settings)
        },
    }
}

/// Gets the models ready that the settings name, pulling what is missing.
///
/// # Errors
/// If a model is unknown, cannot be had or cannot be loaded.
pub async fn open(settings: &Settings, overseer: &Overseer) -> anyhow::Result<ModelParts> {
    if settings.neuron.model_id == FAKE {
        return Ok(stand_in(settings, overseer));
    }
    let scheduler = scheduler(settings);
    let embedder = file(settings, &settings.neuron.embedder_id).await?;
    if let Some(servers) = remote(settings, overseer.clock())? {
        servers.check().await.map_err(|error| Ended::new(Exit::Failed, error))?;
        overseer.tasks().spawn("model_servers", servers.watch());
        let device = embedding_device(embedder, settings.engine.threads).await?;
        return Ok(ModelParts { text: TextSource::Remote(servers), device, scheduler });
    }
    let text = text_file(settings).await?;
    let damaged = |error: &dyn std::fmt::Display| Ended::new(Exit::Model, error);
    let codec = load_codec(&text).map_err(|error| damaged(&error))?;
    let files = LocalModelFiles { text, embedder: Some(embedder) };
    let options = engine_options(settings);
    let build = Box::new(move || {
        let engine = LocalEngine::load(&files, options).map_err(|error| error.to_string())?;
        Ok(Box::new(engine) as Box<dyn StepEngine>)
    });
    let thread = match settings.neuron.device {
        DeviceName::Cpu => "cpu".to_owned(),
        DeviceName::Cuda(number) => format!("cuda:{number}"),
    };
    let device = DeviceThread::start(&thread, build).await.map_err(|error| damaged(&error))?;
    Ok(ModelParts { text: TextSource::Local(Arc::new(codec)), device: Arc::new(device), scheduler })
}

/// The device where texts are written elsewhere.
async fn embedding_device(
    folder: PathBuf,
    threads: Option<usize>,
) -> anyhow::Result<Arc<dyn Device>> {
    let build = Box::new(move || {
        let embedder = Embedder::load(&folder, threads).map_err(|error| error.to_string())?;
        Ok(Box::new(embedder) as Box<dyn StepEngine>)
    });
    let device = DeviceThread::start("cpu", build).await;
    Ok(Arc::new(device.map_err(|error| Ended::new(Exit::Model, error))?))
}

/// Where the text model lies that the settings name, a GGUF file or a folder, pulled if need be.
///
/// # Errors
/// If the model is unknown or cannot be had.
pub async fn text_file(settings: &Settings) -> anyhow::Result<PathBuf> {
    file(settings, &settings.neuron.model_id).await
}

async fn file(settings: &Settings, name: &str) -> anyhow::Result<PathBuf> {
    let options = PullOptions { progress: Progress::detect(), ..PullOptions::default() };
    locate(&store(settings)?, name, &options).await
}

/// Where the model of that name lies, a GGUF file or a folder: out of the store, pulled if need
/// be, or a path that the name itself is.
async fn locate(store: &Store, name: &str, options: &PullOptions) -> anyhow::Result<PathBuf> {
    let known = store.catalogue().find(name);
    if known.is_none() && is_path(name) {
        return Ok(name.into());
    }
    let folder = store.ensure(name, options).await.map_err(ended)?;
    Ok(known.map_or_else(|| folder.clone(), |model| within(&folder, model)))
}

/// What of a model's folder is loaded.
fn within(folder: &Path, model: &Model) -> PathBuf {
    match model.files.iter().find(|file| file.name.ends_with(".gguf")) {
        Some(gguf) => folder.join(&gguf.name),
        None => folder.to_owned(),
    }
}

/// Where the model of that name lies, or would if it was pulled; none where nothing has the name.
#[must_use]
pub fn place(store: &Store, name: &str) -> Option<PathBuf> {
    match store.catalogue().find(name) {
        Some(model) => Some(within(&store.dir().join(&model.name), model)),
        None => is_path(name).then(|| name.into()),
    }
}

fn is_path(name: &str) -> bool {
    name.contains('/') || name.ends_with(".gguf") || Path::new(name).is_dir()
}

/// How the engine is run, as configured.
#[must_use]
pub fn engine_options(settings: &Settings) -> EngineOptions {
    let place = match settings.neuron.device {
        DeviceName::Cpu => Place::Cpu,
        DeviceName::Cuda(number) => Place::Cuda(number),
    };
    EngineOptions {
        place,
        precision: settings.engine.precision,
        threads: settings.engine.threads,
        kv_blocks: kv_blocks(settings.engine.kv_tokens),
        dtype: settings.engine.dtype,
    }
}

fn scheduler(settings: &Settings) -> SchedulerConfig {
    let max_sequences = settings.engine.max_sequences;
    SchedulerConfig {
        max_sequences,
        // References and queries are most of a validator's work, and it pays for all of it.
        miner_share: max_sequences * 3 / 8,
        prefill_rows: settings.engine.prefill_tokens,
        sip_rows: settings.engine.prefill_tokens.div_ceil(4),
        kv_blocks: kv_blocks(settings.engine.kv_tokens),
        prefix_cache: settings.engine.prefix_cache,
        ..SchedulerConfig::default()
    }
}

/// Blocks that hold so many tokens.
fn kv_blocks(tokens: u32) -> u32 {
    tokens.div_ceil(u32::try_from(BLOCK_TOKENS).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Cause, SourceFailure};

    #[test]
    fn a_hub_that_cannot_be_asked_ends_the_program_otherwise_than_a_file_that_is_wrong() {
        let exit = |causes: Vec<Cause>| {
            let failure = |cause| SourceFailure { source: "hub".into(), cause };
            let failures = causes.into_iter().map(failure).collect();
            ended(ModelError::Sources { model: "m".into(), failures, files: Vec::new() }).exit
        };
        let refused = |status| Cause::Refused { file: "f".into(), status };
        let away = || Cause::Unreachable { endpoint: "hub".into(), reason: "no route".into() };
        let other_file = || Cause::Size { file: "f".into(), expected: 1, actual: 2 };
        for passing in [away(), refused(429), refused(503), Cause::Other("broke off".into())] {
            assert_eq!(exit(vec![Cause::Unset, passing]), Exit::Failed);
        }
        assert_eq!(exit(vec![Cause::Unset, refused(404), other_file()]), Exit::Model);
        assert_eq!(ended(ModelError::Busy { path: "lock".into() }).exit, Exit::Failed);
    }

    #[test]
    fn paths_are_told_from_names() {
        for path in ["models/zephyr", "/a", "./a", "model.gguf", "src"] {
            assert!(is_path(path), "{path}");
        }
        for name in ["zephyr", "smollm2-135m-instruct", "", FAKE] {
            assert!(!is_path(name), "{name}");
        }
    }

    #[actix::test]
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
