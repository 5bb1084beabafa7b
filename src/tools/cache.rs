//! A small cache on disk for what was fetched from sources, bounded in bytes and in age.
//!
//! It saves sources from being asked twice and never stands in the way: a file that is broken, old
//! or in use by another process is as good as none, and an answer that cannot be kept is used all
//! the same. Left out: what the caller draws at random, which must be new each time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use sn1_actors::ports::Clock;
use tokio::fs;

/// What a file begins with; then come the time of the fetch, a digest of the body, and the body.
const MAGIC: &str = "sn1-cache-1";
const KEPT: &str = "kept";
const UNFINISHED: &str = "part";

/// Bounds of a cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheLimits {
    /// The bytes of all its files; the oldest go first.
    pub(crate) max_bytes: u64,
    /// How long an answer is good.
    pub(crate) max_age: Duration,
}

impl Default for CacheLimits {
    /// 64 MiB and a week.
    fn default() -> Self {
        Self { max_bytes: 64 << 20, max_age: Duration::from_secs(7 * 24 * 3_600) }
    }
}

/// Answers by key, in files of one folder, which processes may share.
#[derive(Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
    limits: CacheLimits,
    clock: Arc<dyn Clock>,
    turn: Arc<AtomicU64>,
}

/// A file of the cache.
struct Kept {
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

impl Cache {
    /// The cache in a folder, which is made when the first answer is kept.
    pub(crate) fn new(folder: PathBuf, limits: CacheLimits, clock: Arc<dyn Clock>) -> Self {
        Self { folder, limits, clock, turn: Arc::default() }
    }

    /// What was kept under a key, if it is whole and not too old.
    pub(crate) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let path = self.path(key, KEPT);
        // What is larger than the whole cache was not put there by it.
        if fs::metadata(&path).await.ok()?.len() > self.limits.max_bytes {
            return None;
        }
        let found = self.unpack(fs::read(&path).await.ok()?);
        if found.is_none() {
            let _ = fs::remove_file(&path).await;
        }
        found
    }

    /// Keeps a body under a key, if that can be done.
    pub(crate) async fn put(&self, key: &str, body: &[u8]) {
        if let Err(error) = self.write(key, body).await {
            tracing::debug!(folder = %self.folder.display(), %error, "an answer was not kept");
        }
    }

    async fn write(&self, key: &str, body: &[u8]) -> std::io::Result<()> {
        let mut file = self.head(body).into_bytes();
        file.extend_from_slice(body);
        if file.len() as u64 > self.limits.max_bytes {
            return Ok(());
        }
        fs::create_dir_all(&self.folder).await?;
        self.make_room(file.len() as u64).await?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let part = self.path(key, &format!("{}-{turn}.{UNFINISHED}", std::process::id()));
        let written = match fs::write(&part, file).await {
            Ok(()) => fs::rename(&part, self.path(key, KEPT)).await,
            Err(error) => Err(error),
        };
        if written.is_err() {
            let _ = fs::remove_file(&part).await;
        }
        written
    }

    fn head(&self, body: &[u8]) -> String {
        format!("{MAGIC} {} {}\n", self.clock.unix().as_secs(), hex::encode(Sha256::digest(body)))
    }

    fn unpack(&self, mut file: Vec<u8>) -> Option<Vec<u8>> {
        let end = file.iter().position(|byte| *byte == b'\n')?;
        let body = file.split_off(end + 1);
        let head = std::str::from_utf8(&file).ok()?;
        let mut words = head.split_whitespace();
        let (magic, time, digest) = (words.next()?, words.next()?, words.next()?);
        let fetched = Duration::from_secs(time.parse().ok()?);
        // A time in the future is a clock that was set back: who knows how old that is.
        let age = self.clock.unix().checked_sub(fetched);
        let good = magic == MAGIC
            && age.is_some_and(|age| age <= self.limits.max_age)
            && digest == hex::encode(Sha256::digest(&body));
        good.then_some(body)
    }

    fn path(&self, key: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", hex::encode(Sha256::digest(key))))
    }

    /// Removes the oldest files until there is room for so many bytes.
    async fn make_room(&self, wanted: u64) -> std::io::Result<()> {
        let mut files = Vec::new();
        let mut entries = fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            // Another process may have removed it.
            let Ok(metadata) = entry.metadata().await else { continue };
            if metadata.is_file() && is_ours(&entry.path()) {
                let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                files.push(Kept { path: entry.path(), bytes: metadata.len(), written });
            }
        }
        let mut bytes = files.iter().map(|file| file.bytes).sum::<u64>().saturating_add(wanted);
        files.sort_by_key(|file| file.written);
        for Kept { path, bytes: freed, .. } in files {
            if bytes <= self.limits.max_bytes {
                break;
            }
            let _ = fs::remove_file(path).await;
            bytes = bytes.saturating_sub(freed);
        }
        Ok(())
    }
}

/// Whether a file has a name of ours: the digest of a key, and an ending.
fn is_ours(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digest = name.split('.').next().unwrap_or_default();
    matches!(ending, Some(KEPT | UNFINISHED))
        && digest.len() == 64
        && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use futures_util::future::{self, BoxFuture, join_all};
    use parking_lot::Mutex;
    use sn1_actors::domain::Moment;
    use tempfile::TempDir;

    use super::*;

    /// Only the wall clock counts, and it is moved by hand.
    struct WallClock(Mutex<Duration>);

    impl Clock for WallClock {
        fn now(&self) -> Moment {
            Moment::default()
        }

        fn unix(&self) -> Duration {
            *self.0.lock()
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(future::ready(()))
        }
    }

    const DAY: Duration = Duration::from_secs(24 * 3_600);

    fn cache(folder: &TempDir, max_bytes: u64) -> (Cache, Arc<WallClock>) {
        let clock = Arc::new(WallClock(Mutex::new(20_000 * DAY)));
        let limits = CacheLimits { max_bytes, max_age: DAY };
        (Cache::new(folder.path().join("answers"), limits, clock.clone()), clock)
    }

    fn files(folder: &TempDir) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder.path().join("answers")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    #[tokio::test]
    async fn gives_back_what_was_kept_until_it_is_too_old() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, clock) = cache(&folder, 10_000);
        assert_eq!(cache.get("a").await, None);
        cache.put("a", b"first").await;
        cache.put("a", b"one\ntwo").await;
        cache.put("b", b"").await;
        assert_eq!(cache.get("a").await, Some(b"one\ntwo".to_vec()));
        assert_eq!(cache.get("b").await, Some(Vec::new()));
        *clock.0.lock() += DAY;
        assert!(cache.get("a").await.is_some());
        *clock.0.lock() += Duration::from_secs(1);
        assert_eq!(cache.get("a").await, None);
        cache.put("a", b"again").await;
        *clock.0.lock() -= DAY;
        assert_eq!(cache.get("a").await, None, "it is from the future");
    }

    #[tokio::test]
    async fn garbage_is_as_good_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, _) = cache(&folder, 10_000);
        cache.put("a", b"body").await;
        let [file] = &files(&folder)[..] else { panic!("one file") };
        let whole = std::fs::read(file).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let cut = whole[..whole.len() - 1].to_vec();
        for garbage in [Vec::new(), b"\n".to_vec(), vec![0xff; 300], flipped, cut] {
            std::fs::write(file, &garbage).unwrap();
            assert_eq!(cache.get("a").await, None, "{garbage:?}");
            assert!(!file.exists());
        }
        std::fs::create_dir(file).unwrap();
        cache.put("a", b"body").await;
        assert_eq!(cache.get("a").await, None);
        assert_eq!(files(&folder).len(), 1, "no unfinished file is left");
    }

    #[tokio::test]
    async fn stays_within_its_bytes_and_touches_no_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, _) = cache(&folder, 2_000);
        cache.put("first", &[1; 500]).await;
        let foreign = folder.path().join("answers/notes.kept");
        std::fs::write(&foreign, [0; 5_000]).unwrap();
        for number in 0..20 {
            cache.put(&number.to_string(), &[1; 500]).await;
            let own = files(&folder).into_iter().filter(|path| *path != foreign);
            let bytes: u64 = own.map(|path| path.metadata().unwrap().len()).sum();
            assert!(bytes <= 2_000, "{bytes}");
        }
        assert!(cache.get("19").await.is_some() && cache.get("first").await.is_none());
        cache.put("large", &[1; 2_000]).await;
        assert!(cache.get("large").await.is_none() && cache.get("19").await.is_some());
        assert!(foreign.exists());
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_harms_nobody() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("answers"), b"a file").unwrap();
        let (cache, _) = cache(&folder, 2_000);
        cache.put("a", b"body").await;
        assert_eq!(cache.get("a").await, None);
    }

    #[tokio::test]
    async fn many_may_use_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, _) = cache(&folder, 3_000);
        let work = (0..200).map(|number| {
            let (cache, key) = (cache.clone(), (number % 7).to_string());
            async move {
                cache.put(&key, key.as_bytes()).await;
                assert!(cache.get(&key).await.is_none_or(|body| body == key.as_bytes()));
            }
        });
        join_all(work).await;
        assert!(files(&folder).iter().all(|path| path.extension().unwrap() == KEPT));
    }
}
