//! `config.json`, transformers' description of a model: what is needed of it, and refusals of
//! what this program would compute otherwise than transformers does.

use std::path::Path;

use serde_json::{Map, Value};

use super::load_error::LoadProblem;
use super::safetensors_folder::read_bounded;

const FILE: &str = "config.json";
const MAX_BYTES: u64 = 1 << 20;

/// The two model types whose forward pass is the same but for the sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelType {
    Llama,
    Mistral,
}

/// A model's `config.json`.
#[derive(Clone, Debug)]
pub(super) struct ModelConfig {
    fields: Map<String, Value>,
    model_type: ModelType,
    ties_head: bool,
}

impl ModelConfig {
    /// Reads the `config.json` of a model's folder. Problems are of that file.
    pub(super) fn read(folder: &Path) -> Result<Self, LoadProblem> {
        let bytes = read_bounded(&folder.join(FILE), MAX_BYTES);
        bytes.and_then(|bytes| Self::parse(&bytes)).map_err(|problem| problem.within(FILE))
    }

    fn parse(bytes: &[u8]) -> Result<Self, LoadProblem> {
        let fields: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|e| LoadProblem::Damaged(e.to_string()))?;
        let mut this = Self { fields, model_type: ModelType::Llama, ties_head: false };
        this.model_type = match this.text("model_type")? {
            Some("llama") => ModelType::Llama,
            Some("mistral") => ModelType::Mistral,
            Some(other) => {
                return Err(LoadProblem::Unsupported(format!("the architecture {other}")));
            }
            None => return Err(LoadProblem::MissingMetadata("model_type".into())),
        };
        this.ties_head = this.flag("tie_word_embeddings")?;
        this.refuse_others()?;
        Ok(this)
    }

    /// Refuses whatever would make it another model.
    fn refuse_others(&self) -> Result<(), LoadProblem> {
        let unsupported = |cause: String| Err(LoadProblem::Unsupported(cause));
        for flag in ["attention_bias", "mlp_bias"] {
            if self.flag(flag)? {
                return unsupported(format!("{flag} is set"));
            }
        }
        if let Some(other) = self.text("hidden_act")?.filter(|name| *name != "silu") {
            return unsupported(format!("hidden_act is {other}"));
        }
        let known = |name: &Value| name == "LlamaForCausalLM" || name == "MistralForCausalLM";
        match self.get("architectures") {
            None => {}
            Some(Value::Array(names)) if names.iter().all(known) => {}
            Some(other) => return unsupported(format!("architectures is {}", brief(other))),
        }
        for key in ["quantization_config", "layer_types"] {
            if let Some(value) = self.get(key) {
                return unsupported(format!("{key} is {}", brief(value)));
            }
        }
        if self.positive("partial_rotary_factor")?.is_some_and(|factor| factor != 1.0) {
            return unsupported("partial_rotary_factor is not 1".into());
        }
        // The newer of the two holds rope_theta as well.
        for key in ["rope_scaling", "rope_parameters"] {
            let Some(rope) = self.get(key) else { continue };
            let kind = rope.get("rope_type").or_else(|| rope.get("type"));
            let plain = kind.is_some_and(|kind| kind == "default");
            let others = || {
                rope.as_object().is_none_or(|rope| {
                    rope.keys()
                        .any(|key| !["rope_type", "type", "rope_theta"].contains(&key.as_str()))
                })
            };
            if !plain || others() {
                return unsupported(format!("{key} is {}", brief(rope)));
            }
        }
        Ok(())
    }

    pub(super) fn model_type(&self) -> ModelType {
        self.model_type
    }

    /// Whether the embedding serves as head.
    pub(super) fn ties_head(&self) -> bool {
        self.ties_head
    }

    /// Whether the key is there, if only as null.
    pub(super) fn mentions(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// The whole number under `key`, if there is one; refused above `max`.
    pub(super) fn count(&self, key: &str, max: usize) -> Result<Option<usize>, LoadProblem> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(n) if n <= max => Ok(Some(n)),
            _ => Err(impossible(key, value)),
        }
    }

    /// As [`Self::count`], where the model cannot do without.
    pub(super) fn required_count(&self, key: &str, max: usize) -> Result<usize, LoadProblem> {
        self.count(key, max)?.ok_or_else(|| LoadProblem::MissingMetadata(key.into()))
    }

    /// The number under `key`, if there is one; refused where it is not positive and finite.
    pub(super) fn positive(&self, key: &str) -> Result<Option<f32>, LoadProblem> {
        self.get(key).map(|value| as_positive(key, value)).transpose()
    }

    /// RoPE's base, in either of the places where transformers has it.
    pub(super) fn rope_base(&self) -> Result<f32, LoadProblem> {
        let newer = self.get("rope_parameters").and_then(|rope| rope.get("rope_theta"));
        let base = newer.or_else(|| self.get("rope_theta"));
        base.map_or(Ok(10_000.0), |value| as_positive("rope_theta", value))
    }

    fn flag(&self, key: &str) -> Result<bool, LoadProblem> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(impossible(key, other)),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&str>, LoadProblem> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(impossible(key, other)),
        }
    }

    /// The field; null is none.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }
}

fn as_positive(key: &str, value: &Value) -> Result<f32, LoadProblem> {
    match value.as_f64().map(|x| x as f32) {
        Some(x) if x > 0.0 && x.is_finite() => Ok(x),
        _ => Err(impossible(key, value)),
    }
}

fn impossible(key: &str, value: &Value) -> LoadProblem {
    LoadProblem::Damaged(format!("{key} is {}, which is impossible", brief(value)))
}

/// The value as JSON, cut where it would make a message too long.
fn brief(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(80) {
        text.truncate(end);
        text.push('…');
    }
    text
}
