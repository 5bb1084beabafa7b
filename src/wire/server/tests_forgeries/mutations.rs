//! Hostile changes to the headers of a signed request.

use blake2::{Blake2b512, Digest};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::wire::testkit;

/// A request as bytes, but for what frames it.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Sent {
    /// As it goes over the wire.
    pub(super) fn raw(&self) -> Vec<u8> {
        let mut raw = b"POST /PromptingSynapse HTTP/1.1\r\nhost: x\r\n".to_vec();
        raw.extend(b"content-type: application/json\r\n");
        for (name, value) in &self.headers {
            raw.extend([&name[..], b": ", &value[..], b"\r\n"].concat());
        }
        raw.extend(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        raw.extend(b"connection: close\r\n\r\n");
        raw.extend(&self.body);
        raw
    }

    pub(super) fn get(&self, name: &str) -> String {
        let (_, value) = self.headers.iter().find(|(own, _)| own == name.as_bytes()).unwrap();
        String::from_utf8(value.clone()).unwrap()
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        let header = self.headers.iter_mut().find(|(own, _)| own == name.as_bytes());
        header.unwrap().1 = value.into();
    }
}

/// One to three changes to a request; some take a value of an `earlier` one.
pub(super) fn mutate(original: &Sent, earlier: &Sent, rng: &mut ChaCha8Rng) -> Sent {
    let mut sent = original.clone();
    for _ in 0..rng.random_range(1..=3) {
        if sent.headers.is_empty() {
            break;
        }
        match rng.random_range(0..10) {
            0..=4 => change_value(&mut sent, earlier, rng),
            5 | 6 => change_order(&mut sent, rng),
            7 | 8 => change_name(&mut sent, rng),
            _ => change_body(&mut sent, rng),
        }
    }
    sent
}

/// Bytes that parsers trip over, and some that they do not.
const AWKWARD: &[&[u8]] = &[
    b" ",
    b"\t",
    b"\0",
    b"\r",
    b"\n",
    b"\x7f",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\x8b",
    b"\xc2\xa0",
    b"0",
    b"a",
    b"F",
    b".",
    b":",
    b",",
    b"\"",
    b"%30",
    b"+",
    b"-",
    b"None",
    b"null",
    b"\xef\xbc\x91",
    b"\r\nx: y",
    b"\r\n y",
];

fn change_value(sent: &mut Sent, earlier: &Sent, rng: &mut ChaCha8Rng) {
    let which = rng.random_range(0..sent.headers.len());
    let (name, old) = sent.headers[which].clone();
    let text = String::from_utf8_lossy(&old).into_owned();
    let number: Option<u64> = text.parse().ok();
    let awkward = *AWKWARD.choose(rng).unwrap();
    let at = rng.random_range(0..=old.len());
    let (before, after) = old.split_at(at);
    sent.headers[which].1 = match rng.random_range(0..14) {
        0 => [before, awkward, after].concat(),
        1 => [awkward, &old].concat(),
        2 => [&old, awkward].concat(),
        3 => before.into(),
        4 => after.into(),
        5 => Vec::new(),
        6 => [before, awkward, after.get(1..).unwrap_or_default()].concat(),
        7 => text.to_uppercase().into(),
        8 => text.replacen("0x", ["0X", "", "0x0x", "0x 0x"].choose(rng).unwrap(), 1).into(),
        9 => [&old[..], &old[..]].concat(),
        // The same value of another request.
        10 | 11 => {
            let other = earlier.headers.iter().find(|(other, _)| *other == name);
            other.map_or(old, |(_, value)| value.clone())
        }
        12 => match number {
            Some(number) => numbers(number).choose(rng).unwrap().clone().into(),
            None => text.to_lowercase().into(),
        },
        _ if name == b"bt_header_dendrite_hotkey" => {
            let prefix = *[0, 2, 42, 63].choose(rng).unwrap();
            address(&testkit::bob().public(), prefix).into()
        }
        _ => (0..rng.random_range(1..200)).map(|_| rng.random_range(32..127)).collect(),
    };
}

/// Other spellings of a number, and numbers beside it.
fn numbers(number: u64) -> Vec<String> {
    let wrapped = u128::from(number) + (1 << 64);
    vec![
        format!("+{number}"),
        format!("0{number}"),
        format!("{number}.0"),
        format!("{number}e0"),
        format!("-{number}"),
        format!("{number:#x}"),
        format!("{number}_0"),
        wrapped.to_string(),
        number.wrapping_add(1).to_string(),
        number.wrapping_sub(1).to_string(),
        (number / 1_000_000).to_string(),
        u64::MAX.to_string(),
        "0".into(),
        "660".into(),
        "1e999".into(),
        "NaN".into(),
    ]
}

fn change_order(sent: &mut Sent, rng: &mut ChaCha8Rng) {
    let length = sent.headers.len();
    let (one, other) = (rng.random_range(0..length), rng.random_range(0..length));
    match rng.random_range(0..6) {
        0 => sent.headers.shuffle(rng),
        1 => {
            sent.headers.remove(one);
        }
        // Twice: the same, or with another header's value before or after it.
        2 => sent.headers.insert(other, sent.headers[one].clone()),
        3 => {
            let (name, value) = (sent.headers[one].0.clone(), sent.headers[other].1.clone());
            sent.headers.insert(rng.random_range(0..=length), (name, value));
        }
        4 => {
            let value = sent.headers[one].1.clone();
            sent.headers[one].1 = std::mem::replace(&mut sent.headers[other].1, value);
        }
        _ => {
            let (name, value) = sent.headers[one].clone();
            let changed = [&value[..], b"0"].concat();
            sent.headers.insert(rng.random_range(0..=length), (name, changed));
        }
    }
}

fn change_name(sent: &mut Sent, rng: &mut ChaCha8Rng) {
    let which = rng.random_range(0..sent.headers.len());
    let name = &mut sent.headers[which].0;
    let text = String::from_utf8_lossy(name).into_owned();
    *name = match rng.random_range(0..8) {
        0 | 1 => text.to_uppercase().into(),
        2 => text.replace('_', "-").into(),
        3 => text.replacen('d', "D", 1).into(),
        // Letters that lower-case to ASCII ones, or look like them.
        4 => text.replacen('i', "\u{130}", 1).replacen('k', "\u{212a}", 1).into(),
        5 => text.replacen('e', "\u{435}", 1).into(),
        6 => format!("{text}{}", [" ", "\t", "0", "\0", ":"].choose(rng).unwrap()).into(),
        _ => format!("{}{text}", [" ", "x", ":", "\u{feff}"].choose(rng).unwrap()).into(),
    };
}

fn change_body(sent: &mut Sent, rng: &mut ChaCha8Rng) {
    match rng.random_range(0..5) {
        0 if !sent.body.is_empty() => {
            let at = rng.random_range(0..sent.body.len());
            sent.body[at] = *b"\"[]{},:\\x0 \xff".choose(rng).unwrap();
        }
        1 => {
            let at = rng.random_range(0..=sent.body.len());
            sent.body.truncate(at);
        }
        2 => {
            let at = rng.random_range(0..=sent.body.len());
            let awkward = *AWKWARD.choose(rng).unwrap();
            sent.body.splice(at..at, awkward.iter().copied());
        }
        // Neither of these is signed.
        3 => {
            let text = String::from_utf8_lossy(&sent.body).into_owned();
            sent.body = text.replace("\"user\"", "\"assistant\"").into();
        }
        _ => {
            let text = String::from_utf8_lossy(&sent.body).into_owned();
            sent.body = text.replacen('{', "{ \"required_hash_fields\": [], ", 1).into();
        }
    }
}

/// The address of a key on a network.
pub(super) fn address(public: &[u8; 32], network: u8) -> String {
    let mut bytes = vec![network];
    bytes.extend(public);
    let sum = Blake2b512::new().chain_update(b"SS58PRE").chain_update(&bytes).finalize();
    bytes.extend(&sum[..2]);
    bs58::encode(bytes).into_string()
}
