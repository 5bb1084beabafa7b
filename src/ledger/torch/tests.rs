use std::io::{Cursor, Write};

use proptest::prelude::*;
use sn1_actors::testkit::hotkey;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// Written by torch itself: `scripts/oracles/torch_state.py`.
const STATE: &[u8] = include_bytes!("../../../tests/fixtures/state/state.pt");
const WIDE: &[u8] = include_bytes!("../../../tests/fixtures/state/state_wide.pt");

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An entry of the state that torch wrote.
fn part(name: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(STATE)).unwrap();
    entry(&mut archive, &format!("state/{name}"), 1 << 20).unwrap()
}

fn read_bytes(bytes: &[u8]) -> Result<PortableState, NotTorchState> {
    read(Cursor::new(bytes))
}

/// A file of that pickle and these numbers.
fn with(pickle: &[u8], numbers: &[u8]) -> Result<PortableState, NotTorchState> {
    read_bytes(&zipped(&[("archive/data.pkl", pickle), ("archive/data/0", numbers)]))
}

/// The pickle that torch wrote, with one part of it exchanged.
fn exchanged(part_of: &[u8], by: &[u8]) -> Vec<u8> {
    let pickle = part("data.pkl");
    let at = pickle.windows(part_of.len()).position(|window| window == part_of).unwrap();
    [&pickle[..at], by, &pickle[at + part_of.len()..]].concat()
}

#[test]
fn reads_what_torch_saved() {
    let state = read_bytes(STATE).unwrap();
    assert_eq!((state.steps, state.scores.len()), (812, 8));
    // As the original's moving average, in single precision.
    let mut scores = [0.0_f32; 8];
    for step in 1..5 {
        for (at, score) in scores.iter_mut().enumerate() {
            let reward = if at == step { step as f32 / 4.0 } else { 0.0 };
            *score = 0.05 * reward + 0.95 * *score;
        }
    }
    for (uid, expected) in (0..).zip(scores) {
        let score = state.scores[&hotkey(uid)].get();
        assert!((score - f64::from(expected)).abs() < 1e-8, "{uid}: {score} {expected}");
    }
    assert!(state.scores[&hotkey(4)] > Score::new(0.049));
}

#[test]
fn reads_many_hotkeys_double_precision_part_of_a_row_and_a_large_step() {
    let state = read_bytes(WIDE).unwrap();
    assert_eq!((state.steps, state.scores.len()), (1 << 40, 300));
    assert_eq!(state.scores[&hotkey(0)], Score::ZERO, "it was saved as NaN");
    assert_eq!(state.scores[&hotkey(299)], Score::new(304.0 / 310.0));
}

#[test]
fn runs_nothing_and_says_what_it_was_asked_to_run() {
    // What Python's own pickle makes of an object that wants `os.system("true")` called.
    let hostile = b"\x80\x02cposix\nsystem\nq\x00X\x04\x00\x00\x00trueq\x01\x85q\x02Rq\x03.";
    let error = with(hostile, &[]).unwrap_err().to_string();
    assert!(error.contains("wants to call \"posix\" \"system\""), "{error}");
    let renamed = exchanged(b"ctorch._utils\n_rebuild_tensor_v2", b"cbuiltins\neval");
    assert!(with(&renamed, &part("data/0")).unwrap_err().to_string().contains("\"eval\""));
    // The same by the opcode that takes the names from the stack.
    let stacked = b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.";
    assert!(with(stacked, &[]).unwrap_err().to_string().contains("\"eval\""));
}

#[test]
fn refuses_what_is_missing_cut_off_or_of_another_shape() {
    let (pickle, numbers) = (part("data.pkl"), part("data/0"));
    assert!(with(&pickle, &numbers).is_ok());
    for (what, file, says) in [
        ("no zip", b"\x80\x02}.".to_vec(), "invalid Zip"),
        ("no pickle", zipped(&[("archive/version", b"3")]), "no data.pkl"),
        ("no numbers", zipped(&[("archive/data.pkl", &pickle)]), "data/0"),
        (
            "few numbers",
            zipped(&[("a/data.pkl", &pickle), ("a/data/0", &numbers[..31])]),
            "cut off",
        ),
        (
            "many numbers",
            zipped(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 33])]),
            "longer than 32",
        ),
        (
            "other numbers",
            zipped(&[("a/data.pkl", &pickle), ("a/data/0", &numbers), ("a/byteorder", b"big")]),
            "little-endian",
        ),
    ] {
        let error = read_bytes(&file).unwrap_err().to_string();
        assert!(error.contains(says), "{what}: {error}");
    }
    for (part_of, by, says) in [
        (&b"hotkeys"[..], &b"hotkies"[..], "no `hotkeys`"),
        (b"FloatStorage", b"LongStorage", "LongStorage"),
        // more numbers than the storage has; a column; two dimensions
        (b"K\x08\x85", b"K\x09\x85", "cut off"),
        (b"K\x01\x85", b"K\x02\x85", "another shape"),
        (b"K\x08\x85", b"K\x08K\x01\x86", "another shape"),
        (b"K\x00K\x08", b"J\xff\xff\xff\xffK\x08", "counts down"),
        (b"M\x2c\x03", b"J\xff\xff\xff\xff", "`step`"),
        (hotkey(1).as_str().as_bytes(), hotkey(2).as_str().as_bytes(), "a hotkey twice"),
        (hotkey(1).as_str().as_bytes(), &[b'0'; 48], "no SS58 address"),
    ] {
        let error = with(&exchanged(part_of, by), &numbers).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[test]
fn a_short_file_cannot_make_much_of_itself() {
    // Python lets a tuple hold the last one twice, forty times over: 2^40 values.
    let mut laughs = b"\x80\x02)q\x00".to_vec();
    for _ in 0..40 {
        laughs.extend(b"h\x00h\x00\x86q\x00");
    }
    laughs.push(b'.');
    assert!(with(&laughs, &[]).unwrap_err().to_string().contains("uses a part twice"));
    let endless = [b"\x80\x02".to_vec(), vec![b'N'; 1 << 19], b".".to_vec()].concat();
    assert!(with(&endless, &[]).unwrap_err().to_string().contains("too long"));
    let long = [b"\x80\x02X\xff\xff\xff\x7f".to_vec(), vec![b'a'; 100]].concat();
    assert!(with(&long, &[]).unwrap_err().to_string().contains("2147483647 bytes"));
    let bomb = zipped(&[("a/data.pkl", &vec![0; 8 << 20])]);
    assert!(bomb.len() < 64 << 10, "it is packed");
    assert!(read_bytes(&bomb).unwrap_err().to_string().contains("longer than"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_changed_pickle_makes_it_panic_or_gives_a_score_out_of_range(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut pickle = part("data.pkl");
        for (at, byte) in changes {
            let at = at.index(pickle.len());
            pickle[at] = byte;
        }
        let numbers = part("data/0");
        if let Ok(state) = with(&pickle, &numbers) {
            prop_assert!(state.scores.values().all(|score| (0.0..=1.0).contains(&score.get())));
        }
        let cut = cut.index(pickle.len());
        let _ = with(&pickle[..cut], &numbers);
    }
}
