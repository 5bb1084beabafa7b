//! `sn1 query` against a socket of the test's own: what it sends, and what it shows of the answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::harness::{Place, Running};

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    transfer-encoding: chunked\r\nbt_header_axon_status_code: 200\r\n\r\n";

/// Starts a query and takes its request: the program, the connection, the path and the body.
fn asked(place: &Place, more: &[&str]) -> (Running, TcpStream, String, Value) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let axon = listener.local_addr().unwrap();
    let line = format!("query --axon {axon} --axon.hotkey {ALICE} --uri //Bob");
    let mut running = place.start_with(&line, more);
    let mut reader = BufReader::new(running.connects_to(&listener));
    let mut lines = (&mut reader).lines().map(Result::unwrap);
    let path = lines.next().unwrap();
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (running, reader.into_inner(), path, serde_json::from_slice(&body).unwrap())
}

fn send(axon: &mut TcpStream, piece: &str) {
    write!(axon, "{:x}\r\n{piece}\r\n", piece.len()).unwrap();
}

#[test]
fn prints_pieces_as_they_arrive_with_their_lines_and_nothing_that_moves_the_cursor() {
    let place = Place::new();
    let (mut query, mut axon, path, _) = asked(&place, &["--stream", "--message", "count"]);
    assert_eq!(path, "POST /StreamPromptingSynapse HTTP/1.1");
    axon.write_all(STREAM.as_bytes()).unwrap();
    send(&mut axon, "one\n");
    assert_eq!(query.until_printed("one\n"), "one\n");
    send(&mut axon, "tw\u{1b}[2Jo");
    axon.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(query.wait().expect(0).out, "one\ntw [2Jo\n");
}

#[test]
fn gives_a_stream_as_one_object_with_its_pieces() {
    let place = Place::new();
    let (query, mut axon, _, _) = asked(&place, &["--stream", "--json", "--message", "count"]);
    axon.write_all(STREAM.as_bytes()).unwrap();
    send(&mut axon, "one\n\ntwo");
    axon.write_all(b"0\r\n\r\n").unwrap();
    let told = query.wait().json();
    assert_eq!((&told["status_code"], &told["completion"]), (&json!(200), &json!("one\n\ntwo")));
    assert_eq!((&told["chunks"], &told["error"]), (&json!(["one\n\ntwo"]), &Value::Null));
    assert!(told["process_time"].as_f64().unwrap() > 0.0, "{told}");
}

#[test]
fn a_stream_that_is_cut_off_is_no_answer() {
    let place = Place::new();
    let (query, mut axon, _, _) = asked(&place, &["--stream", "--json", "--message", "count"]);
    axon.write_all(STREAM.as_bytes()).unwrap();
    send(&mut axon, "one");
    drop(axon);
    let ended = query.wait().expect(1);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&told["status_code"], &told["completion"]), (&json!(400), &json!("")));
    assert_eq!(told["chunks"], json!(["one"]));
    assert!(told["error"].as_str().unwrap().starts_with("Payload error: "), "{told}");
}

#[test]
fn sends_a_conversation_in_the_order_in_which_it_was_written() {
    let place = Place::new();
    let turns = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hi!"), ("user", "Why?")];
    let flags: Vec<&str> =
        turns.iter().flat_map(|(role, text)| ["--role", role, "--message", text]).collect();
    let (query, axon, path, body) = asked(&place, &flags);
    assert_eq!(path, "POST /PromptingSynapse HTTP/1.1");
    assert_eq!(body["roles"], json!(turns.map(|(role, _)| role)));
    assert_eq!(body["messages"], json!(turns.map(|(_, text)| text)));
    drop(axon);
    query.wait().refused(1, &["503", "disconnected"]);
}

#[test]
fn says_what_is_lacking() {
    let place = Place::new();
    let run = |line: &str, more: &[&str]| place.run_with(&format!("query {line}"), more);
    let axon = format!("--axon 127.0.0.1:1 --axon.hotkey {ALICE} --message x");
    let nameless = run("--uid 3 --uri //Bob --message x", &[]);
    nameless.refused(2, &["netuid", "there is no default"]);
    run(&axon, &[]).refused(4, &["hotkeys/default", "sn1 wallet new"]);
    run(&format!("{axon} --wallet.name w"), &[]).refused(4, &["w/hotkeys", "sn1 wallet new"]);
    run(&format!("{axon} --uri //Bob --role user --role user"), &[]).refused(2, &["2", "--role"]);
    run(&format!("{axon} --uri //Bob --uid 3"), &[]).expect(2);
    run(&format!("{axon} --uri //Bob --role emperor"), &[]).expect(2);
    let nowhere = format!("--axon nowhere --axon.hotkey {ALICE} --message x --uri //Bob");
    run(&nowhere, &[]).refused(2, &["nowhere", "HOST:PORT"]);
}
