//! The real models, where they were pulled (`sn1 models pull`).

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;
use sn1::engine::Embedder;
use sn1_actors::reward_scorer::rewards::relevance::relevance;

use crate::harness::Place;

/// Made by scripts/oracles/cosines.py with sentence-transformers.
const COSINES: &str = include_str!("../fixtures/engine/minilm_cosines.json");

/// What sentence-transformers makes of texts, of which the first is empty.
#[derive(Deserialize)]
struct Cosines {
    texts: Vec<String>,
    /// Of each text with those before it.
    cosines: Vec<Vec<f64>>,
    /// The places of a reference and of an answer to it, and what the answer earns.
    relevance: Vec<(usize, usize, f64)>,
}

/// The cache of whoever runs the tests, if the text and the embedding model are in it.
pub(crate) fn models() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let models = variable("SN1_MODELS__DIR").or_else(|| Some(cache?.join("sn1/models")))?;
    let files = [
        "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf",
        "all-minilm-l6-v2/model.safetensors",
        "all-minilm-l6-v2/tokenizer.json",
        "all-minilm-l6-v2/config.json",
    ];
    files.iter().all(|file| models.join(file).is_file()).then_some(models)
}

#[test]
fn the_likeliest_words_are_those_of_the_reference_implementation() {
    let Some(models) = models() else {
        println!("skipped: the models are not in the cache; `sn1 models pull` gets them");
        return;
    };
    let place = Place::new().with("SN1_MODELS__DIR", models);
    let prompt = ["--prompt", "What is the capital of France?"];
    let made = place.run_with("generate --greedy --max-new-tokens 8 --json", &prompt).json();
    assert_eq!(made["generated_ids"], json!([504, 3575, 282, 4649, 314, 7042, 30, 2]), "{made}");
    assert_eq!(made["text"], "The capital of France is Paris.");
}

#[test]
fn cosines_and_relevance_are_those_of_sentence_transformers() {
    let Some(models) = models() else {
        println!("skipped: the models are not in the cache; `sn1 models pull` gets them");
        return;
    };
    let expected: Cosines = serde_json::from_str(COSINES).unwrap();
    assert!(expected.texts.len() == 40 && expected.texts[0].is_empty());
    let mut embedder = Embedder::load(&models.join("all-minilm-l6-v2"), None).unwrap();
    let vectors = embedder.embed(&expected.texts).unwrap();
    let of = |text: usize| &expected.texts[text];
    for (one, row) in expected.cosines.iter().enumerate() {
        assert_eq!(row.len(), one);
        for (other, expected) in row.iter().enumerate() {
            let pairs = vectors[one].iter().zip(&vectors[other]);
            let cosine: f64 = pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            let difference = (cosine - expected).abs();
            assert!(difference < 1e-3, "{cosine} for {expected}: {:?}, {:?}", of(one), of(other));
        }
    }
    assert!(expected.relevance.iter().filter(|(.., earned)| *earned > 0.2).count() >= 10);
    for (reference, answer, expected) in &expected.relevance {
        let earned = relevance(&vectors[*reference], &vectors[*answer], &vectors[0]).get();
        let (reference, answer) = (of(*reference), of(*answer));
        assert!((earned - expected).abs() < 1e-3, "{earned}, {expected}: {reference:?} {answer:?}");
    }
}
