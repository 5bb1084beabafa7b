//! The codec of a model's folder as transformers writes it: `tokenizer.json`, the chat template
//! and the names of special tokens in `tokenizer_config.json` (the template also in
//! `chat_template.jinja`), the tokens that end an answer in `generation_config.json`.

use std::path::Path;

use serde_json::{Map, Value};

use super::hyperparameters::{MAX_VOCABULARY, context_of_config};
use super::load_error::LoadProblem;
use super::model_config::ModelConfig;
use super::safetensors_folder::read_bounded;
use super::text_codec::{CodecParts, TextTokenizer};
use super::tokenizer_json::JsonTokenizer;

const TOKENIZER: &str = "tokenizer.json";
const SETTINGS: &str = "tokenizer_config.json";
const TEMPLATE: &str = "chat_template.jinja";
const GENERATION: &str = "generation_config.json";
/// Several times the largest of each.
const MAX_TOKENIZER_BYTES: u64 = 1 << 26;
const MAX_SETTINGS_BYTES: u64 = 1 << 22;
const MAX_TEMPLATE_BYTES: u64 = 1 << 18;

pub(super) fn read(folder: &Path) -> Result<CodecParts, LoadProblem> {
    let config = ModelConfig::read(folder)?;
    let vocabulary = config
        .required_count("vocab_size", MAX_VOCABULARY)
        .map_err(|problem| problem.within("config.json"))?;
    let context_length =
        context_of_config(&config).map_err(|problem| problem.within("config.json"))?;
    let tokenizer = read_bounded(&folder.join(TOKENIZER), MAX_TOKENIZER_BYTES)
        .and_then(|bytes| JsonTokenizer::parse(&bytes, vocabulary))
        .map_err(|problem| problem.within(TOKENIZER))?;
    let settings = read_map(folder, SETTINGS)?;
    let (bos, eos) = (token_name(&settings, "bos_token")?, token_name(&settings, "eos_token")?);
    let added = tokenizer.added();
    let controls = added.iter().map(|token| (token.content.clone(), token.id)).collect();
    let hidden = added.iter().filter(|token| token.special).map(|token| token.id).collect();
    // The settings of the tokenizer and those of generation need not agree: either ends an answer.
    let mut stops = stops(folder, &config)?;
    stops.extend(tokenizer.id(&eos).filter(|id| !stops.contains(id)));
    if stops.is_empty() {
        return Err(LoadProblem::MissingMetadata("eos_token_id".into()).within("config.json"));
    }
    Ok(CodecParts {
        tokenizer: TextTokenizer::Json(Box::new(tokenizer)),
        template: template(folder, &settings)?,
        bos,
        eos,
        controls,
        hidden,
        stops,
        context_length,
    })
}

/// The template in its own file goes before the one in the settings, as in transformers; of
/// several, the one called `default`.
fn template(folder: &Path, settings: &Map<String, Value>) -> Result<String, LoadProblem> {
    match read_bounded(&folder.join(TEMPLATE), MAX_TEMPLATE_BYTES) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes);
            return text
                .map_err(|_| LoadProblem::Damaged("it is no UTF-8".into()).within(TEMPLATE));
        }
        Err(LoadProblem::Missing) => {}
        Err(problem) => return Err(problem.within(TEMPLATE)),
    }
    let found = match settings.get("chat_template") {
        Some(Value::Array(templates)) => templates
            .iter()
            .find(|template| template["name"] == "default")
            .and_then(|template| template["template"].as_str()),
        Some(Value::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match found {
        Some(text) => Ok(text.to_owned()),
        None => Err(LoadProblem::MissingMetadata("chat_template".into()).within(SETTINGS)),
    }
}

/// A special token's name, as a text or as an object; empty where there is none.
fn token_name(settings: &Map<String, Value>, key: &str) -> Result<String, LoadProblem> {
    match settings.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(name)) => Ok(name.clone()),
        Some(other) => match other.get("content").and_then(Value::as_str) {
            Some(name) => Ok(name.to_owned()),
            None => Err(LoadProblem::Damaged(format!("{key} has no name")).within(SETTINGS)),
        },
    }
}

/// The ids that end an answer: of the settings for generation, or else of the model.
fn stops(folder: &Path, config: &ModelConfig) -> Result<Vec<u32>, LoadProblem> {
    let generation = match read_map(folder, GENERATION) {
        Ok(generation) => generation,
        Err(LoadProblem::Within { problem, .. }) if matches!(*problem, LoadProblem::Missing) => {
            Map::new()
        }
        Err(problem) => return Err(problem),
    };
    let generation = generation.get("eos_token_id").filter(|value| !value.is_null());
    let (file, value) = match (generation, config.get("eos_token_id")) {
        (Some(value), _) => (GENERATION, value),
        (None, Some(value)) => ("config.json", value),
        (None, None) => return Ok(Vec::new()),
    };
    let values = match value {
        Value::Array(values) if values.len() <= 64 => values.iter().collect(),
        value => vec![value],
    };
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    let ids: Option<Vec<u32>> = values.into_iter().map(id).collect();
    ids.ok_or_else(|| LoadProblem::Damaged("eos_token_id is no token".into()).within(file))
}

fn read_map(folder: &Path, file: &str) -> Result<Map<String, Value>, LoadProblem> {
    read_bounded(&folder.join(file), MAX_SETTINGS_BYTES)
        .and_then(|bytes| {
            serde_json::from_slice(&bytes).map_err(|e| LoadProblem::Damaged(e.to_string()))
        })
        .map_err(|problem| problem.within(file))
}
