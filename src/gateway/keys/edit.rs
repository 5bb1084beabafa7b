//! New keys, and the end of old ones: what `sn1 gateway keys` does.

use std::path::Path;
use std::time::Duration;

use sn1_actors::ports::Clock;
use sn1_actors::text::shown::{harmless, shown};

use super::file::{self, KeyFileError, MOST_KEYS, keys_path, read_keys, write_keys};
use super::key::{ApiKey, KeyEntry, KeyLimits};
use crate::ledger::lock::{InstanceLock, LockError};

/// Another command holds the keys for as long as it takes to write a file.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(20);
/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

/// The keys are not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyEditError {
    /// A name that cannot be told from others on a screen.
    #[error(
        "a key's name has 1 to {LONGEST_NAME} characters, none of them blank at an end or a control character"
    )]
    Name,
    /// A key in use has the name.
    #[error("there is a key called `{0}` already: choose another name, or revoke that key first")]
    Taken(String),
    /// As many keys are in use as there may be.
    #[error("{MOST_KEYS} keys are in use; revoke some first")]
    TooMany,
    /// No key has this id or name.
    #[error("no key has the id or the name `{0}`; `sn1 gateway keys list` shows them")]
    Unknown(String),
    /// Several keys have the id or the name.
    #[error("several keys are called `{0}`; name the one by its id")]
    Ambiguous(String),
    /// The machine has no random numbers.
    #[error("the machine gives no random numbers: {0}")]
    Entropy(#[from] getrandom::Error),
    /// The file of the keys.
    #[error(transparent)]
    File(#[from] KeyFileError),
}

/// Makes a key. A running gateway takes it at once.
///
/// # Errors
/// [`KeyEditError`]; nothing is changed then.
pub async fn new_key(
    folder: &Path,
    clock: &dyn Clock,
    name: &str,
    limits: KeyLimits,
) -> Result<(ApiKey, KeyEntry), KeyEditError> {
    let length = name.chars().count();
    if !(1..=LONGEST_NAME).contains(&length)
        || name.trim() != name
        || name.chars().any(|c| harmless(c) != c)
    {
        return Err(KeyEditError::Name);
    }
    let _lock = lock(folder, clock).await?;
    let path = keys_path(folder);
    let (mut keys, _) = read_keys(&path)?;
    if keys.iter().any(|key| key.revoked.is_none() && key.name == name) {
        return Err(KeyEditError::Taken(name.to_owned()));
    }
    if keys.len() >= MOST_KEYS {
        // The longest-standing revoked one makes room.
        let oldest = keys.iter().position(|key| key.revoked.is_some());
        keys.remove(oldest.ok_or(KeyEditError::TooMany)?);
    }
    let created = clock.unix().as_secs();
    let (key, entry) = with_own_id(&keys, || {
        let key = ApiKey::generate()?;
        let entry = KeyEntry::of(&key, name, limits, created);
        Ok((key, entry))
    })?;
    keys.push(entry.clone());
    write_keys(&path, keys)?;
    Ok((key, entry))
}

/// The first key drawn whose id no other has: ids are short, and two keys of one id would share what
/// is used of their limits.
pub(super) fn with_own_id(
    keys: &[KeyEntry],
    draw: impl Fn() -> Result<(ApiKey, KeyEntry), getrandom::Error>,
) -> Result<(ApiKey, KeyEntry), getrandom::Error> {
    loop {
        let (key, entry) = draw()?;
        if keys.iter().all(|other| other.id != entry.id) {
            return Ok((key, entry));
        }
    }
}

/// Ends the use of the key with this id or, if none has it, this name. A running gateway refuses it
/// from then on; what is under way with it is answered. Gives the key, and whether it was in use.
///
/// # Errors
/// [`KeyEditError`]; nothing is changed then.
pub async fn revoke(
    folder: &Path,
    clock: &dyn Clock,
    which: &str,
) -> Result<(KeyEntry, bool), KeyEditError> {
    let _lock = lock(folder, clock).await?;
    let path = keys_path(folder);
    let (mut keys, _) = read_keys(&path)?;
    let at = position(&keys, which)?;
    let in_use = keys[at].revoked.is_none();
    if in_use {
        keys[at].revoked = Some(clock.unix().as_secs());
    }
    let key = keys[at].clone();
    if in_use {
        write_keys(&path, keys)?;
    }
    Ok((key, in_use))
}

/// An id is more exact than a name, and a key in use is meant rather than one that is not.
fn position(keys: &[KeyEntry], which: &str) -> Result<usize, KeyEditError> {
    type Meant<'a> = &'a dyn Fn(&KeyEntry) -> bool;
    let by_id: Meant<'_> = &|key| key.id == which;
    let in_use: Meant<'_> = &|key| key.name == which && key.revoked.is_none();
    let by_name: Meant<'_> = &|key| key.name == which;
    for meant in [by_id, in_use, by_name] {
        let mut found = keys.iter().enumerate().filter(|(_, key)| meant(key)).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => return Ok(at),
            (Some(_), Some(_)) => return Err(KeyEditError::Ambiguous(shown(which))),
            (None, _) => {}
        }
    }
    Err(KeyEditError::Unknown(shown(which)))
}

/// All keys of a folder, in order of age.
///
/// # Errors
/// [`KeyFileError`] if the file is damaged or cannot be read.
pub fn list(folder: &Path) -> Result<Vec<KeyEntry>, KeyFileError> {
    Ok(read_keys(&keys_path(folder))?.0)
}

/// Waits for other commands that change the keys.
async fn lock(folder: &Path, clock: &dyn Clock) -> Result<InstanceLock, KeyFileError> {
    file::make_folder(folder)
        .map_err(|cause| KeyFileError::Unusable { path: folder.into(), cause })?;
    let began = clock.now();
    loop {
        let path = keys_path(folder).with_extension("lock");
        match InstanceLock::take(path, "the gateway's keys".to_owned()) {
            Err(LockError::Held { .. }) if clock.now().since(began) < PATIENCE => {
                clock.sleep(AGAIN).await;
            }
            taken => return Ok(taken?),
        }
    }
}
