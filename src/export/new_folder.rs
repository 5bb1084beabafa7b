//! A folder that appears under its name when it is complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ExportError;

/// A folder that has this file was made here, and may be replaced.
const MARK: &str = ".sn1-export";

/// A folder that is being filled beside its later place. Dropped before it is kept, it is removed.
#[derive(Debug)]
pub struct NewFolder {
    target: PathBuf,
    filling: PathBuf,
    replaces: bool,
}

impl NewFolder {
    /// Begins a folder. One that is there already is only replaced if `force`, and if an earlier
    /// export made it.
    ///
    /// # Errors
    /// If there is one that must not be replaced, or none can be made.
    pub fn begin(target: &Path, force: bool) -> Result<Self, ExportError> {
        let replaces = match fs::read_dir(target) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failure(target, &error)),
        };
        let refused = |cause: &str| ExportError::Folder {
            place: target.display().to_string(),
            cause: cause.to_owned(),
        };
        if replaces && !target.join(MARK).is_file() {
            return Err(refused("it holds files that are no export; name another folder"));
        }
        if replaces && !force {
            return Err(refused("it holds an earlier export; --force replaces it"));
        }
        let Some(name) = target.file_name() else {
            return Err(refused("it has no name; name a folder"));
        };
        let beside = |end: &str| {
            let mut beside = std::ffi::OsString::from(".");
            beside.push(name);
            beside.push(format!(".{}.{end}", std::process::id()));
            target.with_file_name(beside)
        };
        let filling = beside("new");
        let failed = |error| failure(target, &error);
        remove_left(&filling).map_err(failed)?;
        fs::create_dir_all(&filling).map_err(failed)?;
        let folder = Self { target: target.to_owned(), filling, replaces };
        fs::write(folder.path().join(MARK), "").map_err(failed)?;
        Ok(folder)
    }

    /// Where it is while it is filled.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.filling
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// If that cannot be done; what was there before is there still.
    pub fn keep(self) -> Result<(), ExportError> {
        let keep = || {
            if !self.replaces {
                // An empty one may be there.
                return fs::rename(&self.filling, &self.target);
            }
            let old = self.filling.with_extension("old");
            remove_left(&old)?;
            fs::rename(&self.target, &old)?;
            if let Err(error) = fs::rename(&self.filling, &self.target) {
                fs::rename(&old, &self.target)?;
                return Err(error);
            }
            fs::remove_dir_all(old)
        };
        keep().map_err(|error| failure(&self.target, &error))
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        // When it was kept, there is nothing there.
        let _ = fs::remove_dir_all(&self.filling);
    }
}

/// Removes what a process of this number left that was killed; in a container all have the same.
fn remove_left(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn failure(target: &Path, error: &io::Error) -> ExportError {
    ExportError::Folder { place: target.display().to_string(), cause: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn export(target: &Path, force: bool, file: &str) -> Result<(), ExportError> {
        let folder = NewFolder::begin(target, force)?;
        fs::write(folder.path().join(file), "x").unwrap();
        folder.keep()
    }

    fn half_made(target: &Path) -> NewFolder {
        let folder = NewFolder::begin(target, false).unwrap();
        fs::write(folder.path().join("half"), "x").unwrap();
        folder
    }

    #[test]
    fn an_export_is_there_as_a_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("deep/out");
        let begun = half_made(&target);
        assert!(!target.exists());
        drop(begun);
        assert!(names(&place.path().join("deep")).is_empty());
        fs::create_dir(&target).unwrap();
        export(&target, false, "a").unwrap();
        assert_eq!(names(&target), [MARK, "a"]);
    }

    #[test]
    fn what_a_killed_export_left_is_in_no_later_one() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("out");
        let killed = half_made(&target);
        let old = killed.path().with_extension("old");
        std::mem::forget(killed);
        export(&target, false, "a").unwrap();
        assert_eq!(names(&target), [MARK, "a"]);
        fs::create_dir(&old).unwrap();
        fs::write(old.join("older"), "x").unwrap();
        export(&target, true, "b").unwrap();
        assert_eq!(names(&target), [MARK, "b"]);
        assert_eq!(names(place.path()), ["out"]);
    }

    #[test]
    fn only_an_earlier_export_is_replaced_and_only_if_asked_for() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("out");
        export(&target, false, "a").unwrap();
        let refused = export(&target, false, "b").unwrap_err().to_string();
        assert!(refused.contains("out") && refused.contains("--force"), "{refused}");
        assert_eq!(names(&target), [MARK, "a"]);
        export(&target, true, "b").unwrap();
        assert_eq!(
            (names(&target), names(place.path())),
            (vec![MARK.into(), "b".into()], vec!["out".into()])
        );
        fs::remove_file(target.join(MARK)).unwrap();
        let refused = export(&target, true, "c").unwrap_err().to_string();
        assert!(refused.contains("no export"), "{refused}");
        assert_eq!(names(&target), ["b"]);
    }
}
