//! Our axon and our dendrite against those of the real Python SDK, of 10.5.0 and of 6.6.0, where
//! there are Pythons that have them (`SN1_SDK10_PYTHON`, `SN1_SDK6_PYTHON`; `scripts/test.sh` makes
//! both).
//!
//! What a refusal looks like is not written down here: the same question goes to their axon, or
//! from their dendrite, and both outcomes have to be alike.

mod python;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use sn1::wire::{body_hash, python_repr};

use crate::harness::{Place, Running, free_port};
use crate::llama_server::{peer, serve};
use python::{ALICE, BOTH, CHARLIE, Python, Sdk, Told, but, question};

const PLAIN: &str = "PromptingSynapse";
const STREAM: &str = "StreamPromptingSynapse";

/// Texts that Python writes in its own way, whose hash is signed.
const AWKWARD: [&str; 8] = [
    "Hello, world",
    "it's",
    "she said \"it's\" twice",
    "back\\slash, tab\t, line\nend\r\n, NUL \u{0}, bell \u{7}",
    "é ü ß 漢字 \u{1f980} e\u{301}",
    "no-break\u{a0} zero\u{200b}width \u{3000} \u{2028} \u{202e} \u{feff}",
    "private \u{e000} \u{f0000}, unassigned \u{378} \u{e0fff}, none \u{fffe}",
    "",
];

/// A miner of //Alice that serves strangers, and its port.
fn miner(place: &Place, kind: &str) -> (Running, u16) {
    let port = free_port();
    let mut miner = place.start(&format!(
        "miner --uri //Alice --axon.ip 127.0.0.1 --axon.port {port} --neuron.model_id fake \
         --blacklist.allow_non_registered --miner.kind {kind}"
    ));
    miner.until_printed(&format!("serving {ALICE} on 127.0.0.1:{port}\n"));
    (miner, port)
}

/// What our dendrite makes of the reply to the same question.
fn query(place: &Place, asked: &Value) -> Value {
    let stream = if asked["class"] == STREAM { "--stream" } else { "" };
    let line = format!(
        "query --axon 127.0.0.1:{} --axon.hotkey {} --timeout {} --uri //Bob --json {stream}",
        asked["port"],
        asked["hotkey"].as_str().unwrap(),
        asked["timeout"],
    );
    let ended = place.run_with(&line, &["--message", asked["messages"][0].as_str().unwrap()]);
    assert!(!ended.out.is_empty(), "{}", ended.err);
    serde_json::from_str(&ended.out).unwrap()
}

/// How something ended: the status, and the beginning of the message, without capitals, with `#` for
/// what differs each time and without an error of Python's own, which stands in angle brackets.
fn outcome(status: &Value, message: Option<&str>) -> (Value, String) {
    let text = message.unwrap_or_default().to_lowercase();
    let text = text.split('<').next().unwrap_or_default();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let word = |word: &str| {
        if word.contains(|c: char| c.is_ascii_digit()) { "#".to_owned() } else { word.to_owned() }
    };
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(word).collect();
    (status.clone(), words.into_iter().take(9).collect::<Vec<_>>().join(" "))
}

fn theirs(told: &Told) -> (Value, String) {
    outcome(&json!(told.status), told.message.as_deref())
}

fn ours(answer: &Value) -> (Value, String) {
    outcome(&answer["status_code"], answer["status_message"].as_str())
}

#[test]
fn python_dendrites_count_our_answers_as_success() {
    for sdk in BOTH {
        let Some(python) = Python::with(sdk) else { continue };
        let (_miner, port) = miner(&Place::new(), "echo");
        let mut asked: Vec<Value> =
            AWKWARD.iter().map(|message| question(PLAIN, port, message)).collect();
        asked.push(question("Synapse", port, "ping"));
        let told = python.ask(&asked);
        for (told, message) in told.iter().zip(AWKWARD) {
            assert!(told.is_success, "{sdk:?} {message:?}: {told:?}");
            assert_eq!((told.status, told.message.as_deref()), (Some(200), Some("Success")));
            assert_eq!(told.completion.as_deref(), Some(message));
            assert!(told.process_time.is_some_and(|time| time > 0.0), "{told:?}");
        }
        let ping = &told[AWKWARD.len()];
        assert!(ping.is_success && ping.completion.is_none(), "{sdk:?} {ping:?}");
    }
}

/// Every kind of miner that needs no server, and what its answer to "hi" is, where that is known.
const KINDS: [(&str, Option<&str>); 5] = [
    ("echo", Some("hi")),
    ("mock --miner.mock_delay 0.05", Some("Mock reply to: hi")),
    ("phrase --neuron.phrase same", Some("same")),
    ("model", None),
    ("agent", None),
];

#[test]
fn python_dendrites_get_answers_of_every_kind_of_miner() {
    let pythons = pythons();
    if pythons.is_empty() {
        return;
    }
    for (kind, expected) in KINDS {
        let (_miner, port) = miner(&Place::new(), kind);
        answers_of_every_class(&pythons, port, kind, expected);
    }
}

#[test]
fn python_dendrites_get_what_an_openai_server_says() {
    let pythons = pythons();
    let Some((python, gguf)) = peer().filter(|_| !pythons.is_empty()) else { return };
    let place = Place::new().with("OPENAI_API_KEY", "sk-any");
    let (server, url) = serve(&place, &python, &gguf);
    let kind = format!("openai --openai.base_url {url} --openai.model_name auto");
    let (_miner, port) = miner(&place, &kind);
    answers_of_every_class(&pythons, port, &kind, None);
    // What is answered comes from there.
    drop(server);
    let told = pythons[0].1.ask(&[question(PLAIN, port, "hi")]);
    assert_eq!((told[0].status, told[0].is_success), (Some(500), false), "{told:?}");
}

fn pythons() -> Vec<(Sdk, Python)> {
    BOTH.into_iter().filter_map(|sdk| Some((sdk, Python::with(sdk)?))).collect()
}

/// Has Python dendrites ask a miner of a kind, plainly and for a stream.
fn answers_of_every_class(
    pythons: &[(Sdk, Python)],
    port: u16,
    kind: &str,
    expected: Option<&str>,
) {
    for (sdk, python) in pythons {
        let asked = [PLAIN, STREAM].map(|class| question(class, port, "hi"));
        for told in python.ask(&asked) {
            assert!(told.is_success, "{kind} {sdk:?}: {told:?}");
            let completion = told.completion.as_deref().unwrap_or_default();
            assert!(!completion.trim().is_empty(), "{kind} {sdk:?}: {told:?}");
            assert!(expected.is_none_or(|text| text == completion), "{kind}: {completion}");
        }
    }
}

#[test]
fn python_dendrites_read_our_streams() {
    for sdk in BOTH {
        let Some(python) = Python::with(sdk) else { continue };
        let (_miner, port) = miner(&Place::new(), "echo");
        let asked: Vec<Value> =
            AWKWARD.iter().map(|message| question(STREAM, port, message)).collect();
        for (told, message) in python.ask(&asked).iter().zip(AWKWARD) {
            assert!(told.is_success, "{sdk:?} {message:?}: {told:?}");
            assert_eq!(told.completion.as_deref(), Some(message), "{told:?}");
            assert_eq!(told.chunks.concat(), message);
        }
    }
}

#[test]
fn a_slow_answer_of_ours_is_waited_for_as_long_as_the_caller_says() {
    for sdk in BOTH {
        let Some(python) = Python::with(sdk) else { continue };
        // It answers when four fifths of the caller's time are gone.
        let (_miner, port) = miner(&Place::new(), "slow");
        let told = python.ask(&[but(question(PLAIN, port, "hi"), "timeout", 2.0)]);
        assert!(told[0].is_success, "{sdk:?} {told:?}");
        assert!(told[0].process_time.is_some_and(|time| time >= 1.6), "{told:?}");
    }
}

#[test]
fn our_axon_refuses_as_the_sdks_axon_does() {
    let Some(new) = Python::with(Sdk::New) else { return };
    let place = Place::new();
    let axons = new.axons(&["echo", "slow", "error", "blacklist", "stream"]);
    let (_echo, echo) = miner(&place, "echo");
    let (_slow, slow) = miner(&place, "slow");
    let (_closed, closed) = miner(&place, "echo --blacklist.force_validator_permit");
    let told_by = |python: &Python, [echo, slow, error, blacklist]: [u16; 4]| {
        let at = |port| question(PLAIN, port, "hi");
        python.ask(&[
            but(at(echo), "hotkey", CHARLIE),
            but(question("Synapse", echo, ""), "hotkey", CHARLIE),
            question("Mystery", echo, ""),
            // Too short for both, and for none of them to count the seconds otherwise.
            but(at(slow), "timeout", 0.5),
            // Nothing is asked, which our handler cannot answer; theirs breaks by itself.
            but(at(error), "messages", json!([])),
            at(blacklist),
        ])
    };
    for sdk in BOTH {
        let Some(python) = Python::with(sdk) else { continue };
        let by_ours = told_by(&python, [echo, slow, echo, closed]);
        let ports = ["echo", "slow", "error", "blacklist"].map(|mode| axons.port(mode));
        let by_theirs = told_by(&python, ports);
        for (ours, theirs_) in by_ours.iter().zip(&by_theirs) {
            let reasons = ["no validator permit", "unrecognized hotkey"];
            let (status, message) = theirs(ours);
            let message = message.replace(reasons[0], reasons[1]);
            assert_eq!((status, message), theirs(theirs_), "{sdk:?} {ours:?}");
            let kind = |told: &Told| {
                [told.is_success, told.is_timeout, told.is_blacklist, told.failed_verification]
            };
            assert_eq!(kind(ours), kind(theirs_), "{sdk:?} {ours:?}");
        }
        let statuses: Vec<_> = by_ours.iter().map(|told| told.status.unwrap()).collect();
        assert_eq!(statuses, [401, 401, 404, 408, 500, 403], "{sdk:?}");
    }
}

#[test]
fn our_dendrite_gets_the_completions_of_python_axons() {
    for sdk in BOTH {
        let Some(python) = Python::with(sdk) else { continue };
        let axons = python.axons(&["echo"]);
        // An argument holds no NUL.
        for message in AWKWARD.iter().filter(|message| !message.contains('\0')) {
            let answer = query(&python.place, &question(PLAIN, axons.port("echo"), message));
            assert_eq!(ours(&answer), (json!(200), "success".into()), "{sdk:?} {answer}");
            assert_eq!(answer["completion"], json!(message));
            assert_eq!(answer["error"], Value::Null);
        }
    }
}

#[test]
fn our_dendrite_joins_the_streams_of_python_axons() {
    for sdk in BOTH {
        let Some(python) = Python::with(sdk) else { continue };
        let axons = python.axons(&["stream"]);
        for message in ["a plain stream", "é 漢字 \u{1f980}\u{1f980} it's", "lines\n\nof\ntext"]
        {
            let answer = query(&python.place, &question(STREAM, axons.port("stream"), message));
            assert_eq!(answer["status_code"], 200, "{sdk:?} {answer}");
            assert_eq!(answer["completion"], json!(message));
        }
    }
}

/// Asks with our dendrite and with the SDK's; both have to report the same. Gives the statuses.
fn reported(place: &Place, dendrite: &Python, asked: &[Value]) -> Vec<u16> {
    let told = dendrite.ask(asked);
    for (asked, told) in asked.iter().zip(&told) {
        let answer = query(place, asked);
        assert_eq!(ours(&answer), theirs(told), "{asked}\n{answer}\n{told:?}");
        let completion = if told.is_success { told.completion.as_deref() } else { Some("") };
        assert_eq!(answer["completion"].as_str(), completion, "{asked}");
    }
    told.iter().map(|told| told.status.unwrap()).collect()
}

#[test]
fn our_dendrite_reports_failures_as_the_sdks_dendrite_does() {
    let Some(new) = Python::with(Sdk::New) else { return };
    for sdk in BOTH {
        let Some(python) = Python::with(sdk) else { continue };
        let axons = python.axons(&["echo", "slow", "error", "status", "blacklist", "stream"]);
        let at = |mode: &str| question(PLAIN, axons.port(mode), "hi");
        let statuses = reported(
            &python.place,
            &new,
            &[
                but(at("echo"), "hotkey", CHARLIE),
                but(at("slow"), "timeout", 0.5),
                at("error"),
                at("status"),
                at("blacklist"),
                at("stream"),
                // Nobody listens there, and nothing that draws a free port gets it.
                question(PLAIN, 1, "hi"),
            ],
        );
        // A handler of the old SDK cannot choose its status.
        let chosen = if matches!(sdk, Sdk::New) { 418 } else { 200 };
        assert_eq!(statuses, [401, 408, 500, chosen, 403, 404, 503], "{sdk:?}");
    }
}

#[test]
fn our_dendrite_reports_streams_that_fail_as_the_sdks_dendrite_does() {
    let Some(new) = Python::with(Sdk::New) else { return };
    for sdk in BOTH {
        let Some(python) = Python::with(sdk) else { continue };
        let axons = python.axons(&["echo", "stream", "cut"]);
        let at = |mode: &str| question(STREAM, axons.port(mode), "a stream of some length");
        let asked = [at("cut"), at("echo"), but(at("stream"), "hotkey", CHARLIE)];
        let statuses = reported(&python.place, &new, &asked);
        // An axon of the new SDK ends a stream that breaks as if it were complete.
        let broken = if matches!(sdk, Sdk::New) { 200 } else { 400 };
        assert_eq!(statuses, [broken, 404, 401], "{sdk:?}");
    }
}

#[test]
fn python_miners_earn_on_a_local_network() {
    let pythons: Vec<_> = BOTH.into_iter().filter_map(Python::with).collect();
    let axons: Vec<_> = pythons.iter().map(|python| python.axons(&["echo"])).collect();
    for axons in &axons {
        let place = Place::new();
        place
            .run(&format!(
                "localnet --model fake --localnet.block_time 0.2 --localnet.miners phrase,dead \
                 --external-miner 127.0.0.1:{}={ALICE} --steps 2 --seed 7 --neuron.timeout 5 \
                 --journal j.jsonl",
                axons.port("echo")
            ))
            .expect(0);
        let journal = place.lines("j.jsonl");
        let steps: Vec<_> = journal.iter().filter(|line| line["event"] == "step").collect();
        assert_eq!(steps.len(), 2);
        for step in steps {
            let hotkeys = step["hotkeys"].as_array().unwrap();
            let at = hotkeys.iter().position(|hotkey| hotkey == ALICE).unwrap();
            assert_eq!(step["status_codes"][at], 200, "{step}");
            assert_eq!(step["completions"][at], step["challenge"], "{step}");
        }
    }
}

#[test]
fn writes_and_hashes_random_texts_as_a_live_python_does() {
    let Some(python) = Python::with(Sdk::New) else { return };
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let lists: Vec<Vec<String>> = (0..2_000).map(|_| texts(&mut random)).collect();
    let lines: Vec<String> = lines(&lists);
    python.place.write("lists", &lines.join("\n"));
    let ended = python.run_fed("body_hash.py", "lists");
    let (unicode, answers) = ended.out.split_once('\n').unwrap();
    if unicode != "14.0.0" {
        // Ours is the table of Python 3.11; other Pythons know other characters.
        println!("skipped: that Python knows Unicode {unicode}, not 14.0.0");
        return;
    }
    assert_eq!(answers.lines().count(), lists.len());
    for (list, answer) in lists.iter().zip(answers.lines()) {
        let (text, hash): (String, String) = serde_json::from_str(answer).unwrap();
        assert_eq!(python_repr::list_of_str(list), text);
        assert_eq!(body_hash::of_messages(list), hash, "{text}");
    }
}

fn lines(lists: &[Vec<String>]) -> Vec<String> {
    lists.iter().map(|list| serde_json::to_string(list).unwrap()).collect()
}

/// Up to three texts of up to forty characters.
fn texts(random: &mut ChaCha8Rng) -> Vec<String> {
    let count = random.random_range(0..=3);
    (0..count)
        .map(|_| {
            let length = random.random_range(0..=40);
            (0..length).map(|_| character(random)).collect()
        })
        .collect()
}

/// Any character at all, most often of a kind that has rules of its own.
fn character(random: &mut ChaCha8Rng) -> char {
    const KINDS: [(u32, u32); 10] = [
        (0x00, 0x1f),          // controls
        (0x20, 0x7e),          // ASCII
        (0x7f, 0x17f),         // more controls, Latin
        (0x300, 0x36f),        // combining
        (0x370, 0x5ff),        // with gaps that are unassigned
        (0x2000, 0x206f),      // spaces and formats
        (0xd7a0, 0xffff),      // private use, presentation forms, no characters
        (0x1_0000, 0x1_ffff),  // symbols, emoji, old scripts, gaps
        (0x2_0000, 0xe_0fff),  // ideographs, unassigned planes, tags
        (0xf_0000, 0x10_ffff), // private use
    ];
    const QUOTES: [char; 3] = ['\'', '"', '\\'];
    match random.random_range(0..=KINDS.len()) {
        kind if kind < KINDS.len() => {
            let (first, last) = KINDS[kind];
            // Surrogates are no characters.
            char::from_u32(random.random_range(first..=last)).unwrap_or('\u{d7ff}')
        }
        _ => QUOTES[random.random_range(0..QUOTES.len())],
    }
}
