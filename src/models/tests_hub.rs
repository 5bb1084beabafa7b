//! The hub source against a server that behaves and misbehaves.

use std::fs;
use std::time::Duration;

use super::test_server::{
    HUB, Place, Reply, Server, answer, body, catalogue, pinned, quick, ranged, sha256, whole,
};
use super::{Cause, Environment, HubToken, ModelError, Store};

/// The cause of the only source's failure.
async fn cause(store: &Store) -> Cause {
    match store.ensure("m", &quick()).await {
        Err(ModelError::Sources { mut failures, .. }) if failures.len() == 1 => {
            failures.remove(0).cause
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pulls_a_file_whole_and_leaves_only_it_and_its_stamp() {
    let (place, body) = (Place::new(), body());
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::Raw(whole(&served))).await;
    let store = place.store_at(&server, &[pinned("a.bin", &body)]);
    let folder = store.ensure("em", &quick()).await.unwrap();
    assert_eq!(folder, place.in_cache("a.bin").parent().unwrap());
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
    assert_eq!(place.left(), [".a.bin.stamp", "a.bin"]);
    assert_eq!(server.seen()[0].path, "/org/repo/resolve/main/a.bin");
    assert_eq!(store.path("m").unwrap(), Some(folder));

    store.ensure("m", &quick()).await.unwrap();
    assert_eq!(server.seen().len(), 1, "a file that is there is not asked for again");
}

#[tokio::test]
async fn paths_and_revisions_are_escaped_in_the_url() {
    let place = Place::new();
    let server = Server::start(|_, _| Reply::Raw(whole(b"x"))).await;
    let source = "{ from = 'hub', repository = 'org/repo', revision = 'refs/pr/1', paths = { a = 'd e/f?g#h' } }";
    let environment =
        Environment { hf_endpoint: Some(format!("{}/mirror/", server.url)), ..place.environment() };
    let store = place.store(catalogue(&[pinned("a", b"x")], &[source]), environment);
    store.ensure("m", &quick()).await.unwrap();
    assert_eq!(server.seen()[0].path, "/mirror/org/repo/resolve/refs%2Fpr%2F1/d%20e/f%3Fg%23h");
}

#[tokio::test]
async fn resumes_a_part_where_the_server_knows_ranges() {
    let (place, body) = (Place::new(), body());
    let served = body.clone();
    let server = Server::start(move |request, _| Reply::Raw(ranged(request, &served))).await;
    place.put(&place.in_cache(".a.bin.part"), &body[..1_000_001]);
    place.store_at(&server, &[pinned("a.bin", &body)]).ensure("m", &quick()).await.unwrap();
    assert_eq!(server.seen()[0].header("range"), Some("bytes=1000001-"));
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
}

#[tokio::test]
async fn begins_again_where_the_server_knows_no_ranges() {
    let (place, body) = (Place::new(), body());
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::Raw(whole(&served))).await;
    place.put(&place.in_cache(".a.bin.part"), &body[..1000]);
    place.store_at(&server, &[pinned("a.bin", &body)]).ensure("m", &quick()).await.unwrap();
    assert_eq!(server.seen().len(), 1);
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
}

#[tokio::test]
async fn begins_again_when_the_part_was_of_another_file() {
    let (place, body) = (Place::new(), body());
    let served = body.clone();
    let server = Server::start(move |request, _| Reply::Raw(ranged(request, &served))).await;
    place.put(&place.in_cache(".a.bin.part"), b"something else");
    place.store_at(&server, &[pinned("a.bin", &body)]).ensure("m", &quick()).await.unwrap();
    assert_eq!(server.seen().len(), 2);
    assert_eq!(server.seen()[1].header("range"), None);
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
}

#[tokio::test]
async fn begins_again_when_the_answer_is_another_range() {
    let (place, body) = (Place::new(), body());
    let served = body.clone();
    let server = Server::start(move |request, _| {
        Reply::Raw(match request.header("range") {
            Some(_) => answer(
                "206 Partial Content",
                "Content-Length: 5\r\nContent-Range: bytes 0-4/9\r\n",
                b"01234",
            ),
            None => whole(&served),
        })
    })
    .await;
    place.put(&place.in_cache(".a.bin.part"), &body[..1000]);
    place.store_at(&server, &[pinned("a.bin", &body)]).ensure("m", &quick()).await.unwrap();
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
}

#[tokio::test]
async fn asks_for_the_rest_of_a_body_that_was_cut_off() {
    let (place, body) = (Place::new(), body());
    let served = body.clone();
    let server = Server::start(move |request, before| {
        let mut bytes = ranged(request, &served);
        if before == 0 {
            bytes.truncate(bytes.len() - 300_000);
        }
        Reply::Raw(bytes)
    })
    .await;
    place.store_at(&server, &[pinned("a.bin", &body)]).ensure("m", &quick()).await.unwrap();
    let range = format!("bytes={}-", body.len() - 300_000);
    assert_eq!(server.seen()[1].header("range"), Some(range.as_str()));
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
}

#[tokio::test]
async fn gives_up_on_a_body_that_is_always_cut_off_and_keeps_the_part() {
    let place = Place::new();
    let server =
        Server::start(|_, _| Reply::Raw(answer("200 OK", "Content-Length: 10\r\n", b"01234")))
            .await;
    let store = place.store_at(&server, &[pinned("a.bin", b"0123456789")]);
    let Cause::Other(reason) = cause(&store).await else { panic!() };
    assert!(reason.contains("after 5 of 10 bytes"), "{reason}");
    assert_eq!(server.seen().len(), 3);
    assert_eq!(place.left(), [".a.bin.part"]);
}

#[tokio::test]
async fn refuses_a_file_with_another_hash_and_leaves_nothing() {
    let place = Place::new();
    let server = Server::start(|_, _| Reply::Raw(whole(b"evil"))).await;
    let store = place.store_at(&server, &[pinned("a.bin", b"good")]);
    let Cause::Hash { file, expected, actual } = cause(&store).await else { panic!() };
    assert_eq!((file.as_str(), expected, actual), ("a.bin", sha256(b"good"), sha256(b"evil")));
    assert!(place.left().is_empty());
    assert_eq!(server.seen().len(), 1, "the same bytes are not asked for again");
}

#[tokio::test]
async fn a_refusal_is_final_and_says_what_to_do() {
    for (status, hint) in [
        ("401 Unauthorized", "set HF_TOKEN"),
        ("403 Forbidden", "terms"),
        ("404 Not Found", "does not exist"),
    ] {
        let place = Place::new();
        let server =
            Server::start(move |_, _| Reply::Raw(answer(status, "Content-Length: 0\r\n", b"")))
                .await;
        let cause = cause(&place.store_at(&server, &[pinned("a.bin", b"good")])).await;
        assert!(cause.to_string().contains(hint), "{cause}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn tries_again_when_the_server_is_busy() {
    let place = Place::new();
    let server = Server::start(|_, before| {
        Reply::Raw(if before < 2 {
            answer("503 Busy", "Content-Length: 0\r\n", b"")
        } else {
            whole(b"good")
        })
    })
    .await;
    place.store_at(&server, &[pinned("a.bin", b"good")]).ensure("m", &quick()).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn stops_reading_an_endless_body() {
    let place = Place::new();
    let server = Server::start(|_, _| {
        let chunk = [b"10000\r\n".as_slice(), &[7; 0x10000], b"\r\n"].concat();
        Reply::Endless(answer("200 OK", "Transfer-Encoding: chunked\r\n", b""), chunk)
    })
    .await;
    let Cause::Size { expected: 4, .. } =
        cause(&place.store_at(&server, &[pinned("a.bin", b"good")])).await
    else {
        panic!()
    };
    assert!(place.left().is_empty());

    let unpinned = cause(&place.store_at(&server, &["{ name = 'a.bin' }".into()])).await;
    assert!(unpinned.to_string().contains("does not tell the file's size"), "{unpinned}");
}

#[tokio::test]
async fn reads_nothing_of_a_file_that_announces_another_size() {
    for (file, length) in
        [(pinned("a.bin", b"good"), 5_u64), ("{ name = 'a.bin' }".into(), (64 << 30) + 1)]
    {
        let place = Place::new();
        let server = Server::start(move |_, _| {
            Reply::Stall(answer("200 OK", &format!("Content-Length: {length}\r\n"), b""))
        })
        .await;
        let cause = cause(&place.store_at(&server, &[file])).await;
        assert!(cause.to_string().contains(&length.to_string()), "{cause}");
    }
}

#[tokio::test]
async fn the_token_goes_to_the_endpoint_and_not_where_it_redirects_to() {
    let place = Place::new();
    let store_server = Server::start(|_, _| Reply::Raw(whole(b"good"))).await;
    let location =
        format!("Location: {}/signed?secret=1\r\nContent-Length: 0\r\n", store_server.url);
    let endpoint = Server::start(move |_, _| Reply::Raw(answer("302 Found", &location, b""))).await;
    let environment = Environment {
        hf_endpoint: Some(endpoint.url.clone()),
        hf_token: Some(HubToken::new(" hf_secret\n")),
        ..place.environment()
    };
    place
        .store(catalogue(&[pinned("a.bin", b"good")], &[HUB]), environment)
        .ensure("m", &quick())
        .await
        .unwrap();
    assert_eq!(endpoint.seen()[0].header("authorization"), Some("Bearer hf_secret"));
    assert_eq!(store_server.seen()[0].path, "/signed?secret=1");
    assert_eq!(store_server.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn errors_show_neither_the_token_nor_a_signed_address() {
    let place = Place::new();
    let location = "Location: http://127.0.0.1:1/signed?signature=xyz\r\nContent-Length: 0\r\n";
    let endpoint = Server::start(move |_, _| Reply::Raw(answer("302 Found", location, b""))).await;
    let environment = Environment {
        hf_endpoint: Some(endpoint.url.replace("http://", "http://user:hunter2@")),
        hf_token: Some(HubToken::new("hf_secret")),
        ..place.environment()
    };
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[HUB]), environment);
    let error = store.ensure("m", &quick()).await.unwrap_err();
    let text = format!("{error} {error:?}");
    for secret in ["hf_secret", "xyz", "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn follows_only_so_many_redirects() {
    let place = Place::new();
    let server = Server::start(|_, _| {
        Reply::Raw(answer("302 Found", "Location: /again\r\nContent-Length: 0\r\n", b""))
    })
    .await;
    let cause = cause(&place.store_at(&server, &[pinned("a.bin", b"good")])).await;
    assert!(cause.to_string().contains("redirect"), "{cause}");
    assert!(server.seen().len() < 10);
}

#[tokio::test]
async fn records_the_hash_of_an_unpinned_file_and_enforces_it() {
    let place = Place::new();
    let server =
        Server::start(|_, before| Reply::Raw(whole(if before == 0 { b"first" } else { b"other" })))
            .await;
    let store = place.store_at(&server, &["{ name = 'a.bin' }".into()]);
    store.ensure("m", &quick()).await.unwrap();
    let record = fs::read_to_string(place.in_cache("sha256.toml")).unwrap();
    assert!(record.contains(&sha256(b"first").to_string()), "{record}");

    fs::remove_file(place.in_cache("a.bin")).unwrap();
    assert!(matches!(cause(&store).await, Cause::Hash { .. }));

    fs::write(place.in_cache("a.bin"), b"third").unwrap();
    let error = store.ensure("m", &quick()).await.unwrap_err();
    assert!(matches!(error, ModelError::WrongFile { .. }), "{error}");
}

#[tokio::test]
async fn resumes_an_unpinned_file_only_with_an_entity_tag() {
    for etag in [None, Some("\"v1\"")] {
        let place = Place::new();
        let server = Server::start(|request, _| Reply::Raw(ranged(request, b"0123456789"))).await;
        place.put(&place.in_cache(".a.bin.part"), b"0123");
        if let Some(etag) = etag {
            place.put(&place.in_cache(".a.bin.etag"), etag.as_bytes());
        }
        place
            .store_at(&server, &["{ name = 'a.bin' }".into()])
            .ensure("m", &quick())
            .await
            .unwrap();
        let seen = &server.seen()[0];
        assert_eq!(seen.header("range"), etag.map(|_| "bytes=4-"));
        assert_eq!(seen.header("if-range"), etag);
        assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), b"0123456789");
        assert_eq!(place.left(), [".a.bin.stamp", "a.bin", "sha256.toml"]);
    }
}

#[tokio::test]
async fn a_hub_that_cannot_be_reached_is_tried_once_and_the_next_source_is_used() {
    let place = Place::new();
    place.put(&place.beside("own/a.bin"), b"good");
    let local = format!("{{ from = 'local', path = '{}' }}", place.beside("own").display());
    let store =
        place.store(catalogue(&[pinned("a.bin", b"good")], &[HUB, &local]), place.environment());
    store.ensure("m", &quick()).await.unwrap();

    for name in [place.in_cache("a.bin"), place.beside("own/a.bin")] {
        fs::remove_file(name).unwrap();
    }
    let ModelError::Sources { failures, .. } = store.ensure("m", &quick()).await.unwrap_err()
    else {
        panic!()
    };
    let Cause::Unreachable { reason, .. } = &failures[0].cause else { panic!("{failures:?}") };
    assert!(reason.contains("an earlier try"), "{reason}");
}

#[tokio::test]
async fn takes_what_hugging_face_tools_have_cached() {
    let place = Place::new();
    let repository = place.beside("hf/hub/models--org--repo");
    place.put(&repository.join("refs/main"), b"c0ffee");
    place.put(&repository.join("snapshots/c0ffee/a.bin"), b"evil");
    place.put(&repository.join("snapshots/0ld/a.bin"), b"good");
    let store = place.store(catalogue(&[pinned("a.bin", b"good")], &[HUB]), place.environment());
    store.ensure("m", &quick()).await.unwrap();
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), b"good");
    assert_eq!(fs::read(repository.join("snapshots/c0ffee/a.bin")).unwrap(), b"evil");
}

#[tokio::test]
async fn takes_an_unpinned_file_only_from_the_snapshot_of_its_revision() {
    let place = Place::new();
    let repository = place.beside("hf/hub/models--org--repo");
    place.put(&repository.join("snapshots/0ld/a.bin"), b"old");
    let store = place.store(catalogue(&["{ name = 'a.bin' }".into()], &[HUB]), place.environment());
    assert!(matches!(cause(&store).await, Cause::Unreachable { .. }));
    place.put(&repository.join("refs/main"), b"c0ffee\n");
    place.put(&repository.join("snapshots/c0ffee/a.bin"), b"new");
    store.ensure("m", &quick()).await.unwrap();
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), b"new");
}

#[tokio::test]
async fn a_dropped_pull_leaves_a_part_from_which_the_next_one_goes_on() {
    let (place, body) = (Place::new(), body());
    let served = body.clone();
    let server = Server::start(move |request, before| {
        let bytes = ranged(request, &served);
        if before == 0 { Reply::Stall(bytes[..2_000_000].to_vec()) } else { Reply::Raw(bytes) }
    })
    .await;
    let store = place.store_at(&server, &[pinned("a.bin", &body)]);
    let part = place.in_cache(".a.bin.part");
    let has_begun = async {
        while fs::metadata(&part).map_or(0, |part| part.len()) == 0 {
            tokio::task::yield_now().await;
        }
    };
    let options = quick();
    tokio::select! {
        result = store.ensure("m", &options) => panic!("{result:?}"),
        begun = tokio::time::timeout(Duration::from_secs(60), has_begun) => begun.unwrap(),
    }
    assert!(!place.in_cache("a.bin").exists());

    store.ensure("m", &quick()).await.unwrap();
    assert!(server.seen()[1].header("range").is_some());
    assert_eq!(fs::read(place.in_cache("a.bin")).unwrap(), body);
}
