//! The tokens of a real model, where its file is: `SN1_TEST_GGUF`, or where `sn1 models` puts it.

use std::env;
use std::fs;
use std::path::Path;

use super::*;

/// Tokens that are compared. On the processor's device a build with checks takes long for each.
const COUNT: usize = 24;

fn existing(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    println!("skipped: there is no {}", path.display());
    None
}

fn gguf() -> Option<PathBuf> {
    if let Some(path) = env::var_os("SN1_TEST_GGUF") {
        return existing(path.into());
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))?;
    existing(cache.join("sn1/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"))
}

fn greedy_cases() -> Option<Vec<serde_json::Value>> {
    let folder = env::var_os("TEST_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference"),
        PathBuf::from,
    );
    let path = existing(folder.join("models/greedy_f32.json"))?;
    Some(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
}

fn argmax(logits: &[f32]) -> u32 {
    (0..).zip(logits).max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap().0
}

fn greedy(device: &Device, gguf: &Path, prompt: &[u32], count: usize) -> Vec<u32> {
    let mut engine = DeviceLlama::load(gguf, device, DType::F32, 8).unwrap();
    engine.place(place(0, &[5, 2, 0, 7], 0)).unwrap();
    let mut pending = rows(0, 0, prompt);
    let mut made = Vec::new();
    while made.len() < count {
        for row in &mut pending {
            row.wants_logits = false;
        }
        let last = pending.last_mut().unwrap();
        last.wants_logits = true;
        let next = last.position as usize + 1;
        let token = argmax(&engine.step(&pending).unwrap()[0]);
        made.push(token);
        pending = rows(0, next, &[token]);
    }
    made
}

#[test]
fn greedy_tokens_are_those_of_transformers() {
    let (Some(gguf), Some(cases)) = (gguf(), greedy_cases()) else { return };
    let ids = |case: &serde_json::Value, key: &str| -> Vec<u32> {
        serde_json::from_value(case[key].clone()).unwrap()
    };
    let case = &cases[1];
    let (prompt, wanted) = (ids(case, "prompt_ids"), ids(case, "greedy_ids_f32"));
    assert_eq!(greedy(&Device::Cpu, &gguf, &prompt, COUNT), wanted[..COUNT]);
    match cuda_device(0) {
        Ok(device) => {
            for case in &cases {
                let (prompt, wanted) = (ids(case, "prompt_ids"), ids(case, "greedy_ids_f32"));
                let count = wanted.len().min(COUNT);
                if prompt.len() + count > 128 {
                    continue;
                }
                assert_eq!(greedy(&device, &gguf, &prompt, count), wanted[..count]);
            }
        }
        Err(problem) => println!("skipped: no CUDA device ({problem})"),
    }
}
