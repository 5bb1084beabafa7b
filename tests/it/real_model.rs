//! The real models, where they were pulled (`sn1 models pull`).

use std::path::PathBuf;

use serde_json::json;

use crate::harness::Place;

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
