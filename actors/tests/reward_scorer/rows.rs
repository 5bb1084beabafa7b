//! Every row of the table of rewards, whoever adds it, on texts that mean harm: a score comes back,
//! always the same, and for work that the texts' sizes bound.

use std::time::Duration;

use sn1_actors::domain::{MinerReply, PieceArrival, Score};
use sn1_actors::reward_scorer::effort::Effort;
use sn1_actors::reward_scorer::judge::{MOST_MEASURED, measured_part};
use sn1_actors::reward_scorer::rewards::{ALL, Manner, Measure, RewardKind};

use super::hostile_texts::{TEXTS, hostile_texts};

/// References, as those of the kinds of task are.
const REFERENCES: [&str; 9] = [
    "The optical telegraph passed messages along a chain of towers. It was given up in 1855.",
    "positive",
    "B",
    "December 15, 1984",
    "153.93804",
    r"x^{2} + \frac{3}{4}x - 9",
    "(x + 2)(x + 9)",
    "def mean(values):\n    total = 0\n    return total / len(values)\n",
    "",
];

/// A word or two.
const BYTES_A_STEP: u64 = 16;

/// What a measure may do: a budget of its own, some passes over the texts, and a table of two of
/// them, of which no more than 4,096 places a side are filled one by one.
fn bound(bytes: usize) -> u64 {
    let bytes = bytes as u64;
    (1 << 21) + 64 * bytes + 2 * (bytes * bytes).min(1 << 24)
}

/// What a row gives, and the work that it counted.
fn scored(kind: RewardKind, reference: &str, challenge: &str, reply: &MinerReply) -> (Score, u64) {
    let effort = Effort::default();
    let completion = measured_part(&reply.completion);
    let score = match kind.measure() {
        Measure::Text(of) => of(reference, completion, &effort),
        Measure::WithChallenge(of) => of(reference, challenge, completion, &effort),
        Measure::Manner(of) => {
            let references = [reference.to_owned(), challenge.to_owned()];
            of(&Manner { references: &references, reply }, &effort)
        }
        Measure::Embedding(_) => Score::ZERO,
    };
    (score, effort.spent())
}

/// Fails if a row gives what is no score, gives another one the second time, or works too much.
fn assert_harmless(reference: &str, challenge: &str, reply: &MinerReply) {
    for kind in ALL {
        let (score, effort) = scored(*kind, reference, challenge, reply);
        let what = || format!("{kind:?} of {:.60?} against {reference:.60?}", reply.completion);
        assert!((0.0..=1.0).contains(&score.get()), "{}: {score:?}", what());
        let again = scored(*kind, reference, challenge, reply);
        assert_eq!(
            (score.get().to_bits(), effort),
            (again.0.get().to_bits(), again.1),
            "{}",
            what()
        );
        let bytes = reply.completion.len().min(MOST_MEASURED)
            + reference.len()
            + challenge.len()
            + reply.pieces.len();
        let is_whole = matches!(kind.measure(), Measure::Manner(_));
        let bytes = if is_whole { bytes + reply.completion.len() } else { bytes };
        assert!(effort <= bound(bytes), "{}: {effort} steps for {bytes} bytes", what());
    }
}

#[test]
fn hostile_answers_to_ordinary_references() {
    let mut tried = 0;
    for (place, text) in hostile_texts().enumerate() {
        let reference = REFERENCES[place % REFERENCES.len()];
        let reply = MinerReply::success(text);
        assert_harmless(reference, "What is 2 + 2? Say A. 4 or B. 5", &reply);
        tried += 1;
    }
    assert_eq!(tried, TEXTS);
}

#[test]
fn hostile_answers_to_hostile_references_and_challenges() {
    let mut before = String::new();
    for text in hostile_texts() {
        let reply = MinerReply::success(text);
        assert_harmless(measured_part(&before), measured_part(&reply.completion), &reply);
        before = reply.completion;
    }
}

#[test]
fn hostile_arrivals() {
    let piece = |at, chars| PieceArrival { at, chars };
    let second = Duration::from_secs(1);
    let arrivals: [Vec<PieceArrival>; 7] = [
        vec![piece(Duration::ZERO, 0)],
        vec![piece(Duration::MAX, usize::MAX); 4_096],
        vec![piece(Duration::ZERO, usize::MAX), piece(Duration::MAX, 1), piece(second, 900)],
        (0..4_096).rev().map(|n| piece(second * n, 801)).collect(),
        (0..4_096).map(|n| piece(second * (n % 2), 801)).collect(),
        (0..100_000).map(|n| piece(Duration::from_nanos(n), 1)).collect(),
        (0..100_000).map(|_| piece(second, usize::MAX / 2)).collect(),
    ];
    for pieces in arrivals {
        let reply = MinerReply { pieces, ..MinerReply::success("Tea is a drink.") };
        assert_harmless("Tea is a drink.", "What is tea?", &reply);
    }
}

#[test]
fn hostile_embeddings() {
    let vectors: [&[f32]; 14] = [
        &[],
        &[0.0],
        &[1.0],
        &[0.0, 0.0],
        &[-0.0, 0.0],
        &[1.0, 0.0],
        &[-0.6, 0.8],
        &[f32::NAN, 0.0],
        &[1.0, f32::INFINITY],
        &[f32::NEG_INFINITY, f32::INFINITY],
        &[f32::MAX, f32::MAX],
        &[f32::MIN_POSITIVE, 0.0],
        &[1e-45, -1e-45],
        &[0.5; 1_000],
    ];
    for kind in ALL {
        let Measure::Embedding(of) = kind.measure() else { continue };
        for (reference, completion) in vectors.iter().flat_map(|r| vectors.map(|c| (r, c))) {
            for empty in vectors {
                let score = of(reference, completion, empty).get();
                let what = format!("{kind:?} of {completion:?} against {reference:?}, {empty:?}");
                assert!((0.0..=1.0).contains(&score), "{what}: {score}");
                let again = of(reference, completion, empty).get();
                assert_eq!(score.to_bits(), again.to_bits(), "{what}");
            }
        }
    }
}

/// Whatever is read of a text, or passed over, costs: a step at least for so many bytes more. Some rows
/// look at an answer for references of their kind only, so there is one of each.
#[test]
fn whoever_adds_a_row_counts_its_work() {
    let text = |lines: std::ops::Range<usize>| -> String {
        lines.map(|n| format!("word{n} {n}. May 5, {}. ", 1900 + n)).collect()
    };
    // Shorter than what any of them reads at most.
    let (reference, short, long) = (text(0..20), text(10..30), text(10..150));
    for kind in ALL.iter().filter(|kind| !kind.embeds()) {
        let effort = |completion: &str| {
            let pieces = vec![PieceArrival { at: Duration::ZERO, chars: 4 }; completion.len() / 16];
            let reply = MinerReply { pieces, ..MinerReply::success(completion) };
            let references = REFERENCES.iter().copied().chain([&*reference]);
            references.map(|one| scored(*kind, one, "What is tea?", &reply).1).sum::<u64>()
        };
        let (less, more) = (effort(&short), effort(&long));
        let longer = (long.len() - short.len()) as u64;
        assert!(
            more >= less + longer / BYTES_A_STEP,
            "{kind:?} spends {less} steps on a text and {more} on one that is {longer} bytes longer: \
             see Effort::spend"
        );
    }
}
