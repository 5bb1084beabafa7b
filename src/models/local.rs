//! Files that are already on this machine: a folder of the user's, or another tool's cache.

use std::fs;
use std::path::{Path, PathBuf};

use super::blocking::{self, Copied, Scratch};
use super::catalogue::{ModelFile, Source};
use super::error::{Cause, Failure};
use super::pull::Pull;
use super::verify::{check_size, hidden};

/// Brings the `missing` files in from the folder or file at `path`: as many as are right there,
/// since the others may come from another source.
pub(super) async fn pull(
    pull: &Pull<'_>,
    source: &Source,
    path: Option<&Path>,
    missing: &[&ModelFile],
) -> Result<(), Failure> {
    let path = path.ok_or(Failure::Source(Cause::Unset))?;
    let mut result = Ok(());
    for file in missing {
        let from = if path.is_dir() {
            path.join(source.path_of(file))
        } else if pull.model.files.len() == 1 {
            path.to_owned()
        } else {
            let reason =
                format!("{} is no folder, and the model has several files", path.display());
            return Err(Failure::other(reason));
        };
        match take(pull, file, from).await {
            Err(Failure::Source(cause)) => result = result.and(Err(Failure::Source(cause))),
            other => other?,
        }
    }
    result
}

/// Brings the file at `from` in as `file`: as a second name of the same data where the file system
/// can do that, since models are large, and as a copy elsewhere.
pub(super) async fn take(pull: &Pull<'_>, file: &ModelFile, from: PathBuf) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::other(format!("cannot read {}: {error}", from.display()));
    // The hard link must be to the data, not to a symbolic link that could change later.
    let from = fs::canonicalize(&from).map_err(failed)?;
    let found = fs::metadata(&from).map_err(failed)?;
    if !found.is_file() {
        return Err(Failure::other(format!("{} is no file", from.display())));
    }
    check_size(file, found.len()).map_err(Failure::Source)?;

    let meter = pull.meter(file, &from.display().to_string());
    let scratch = Scratch::new(hidden(&pull.target(file), "new"));
    if fs::hard_link(&from, scratch.path()).is_err() {
        pull.space(&pull.target(file), found.len()).await?;
    }
    let limit = found.len();
    let scratch = blocking::run(Some(pull.lock.clone()), move |cancel| {
        if scratch.path().exists() {
            return Ok(scratch);
        }
        let failed = |reason| Failure::other(format!("cannot copy {}: {reason}", from.display()));
        let reader = fs::File::open(&from).map_err(|error| failed(error.to_string()))?;
        match blocking::copy(reader, scratch.path(), limit, cancel, |_| ())? {
            Copied::All => Ok(scratch),
            Copied::TooMuch => Err(failed("it grew meanwhile".into())),
            Copied::Unreadable(error) => Err(failed(error.to_string())),
        }
    });
    pull.settle(scratch.await?, file).await?;
    meter.done();
    Ok(())
}
