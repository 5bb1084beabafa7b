//! The language and embedding models on this machine, behind `ports::StepEngine` and `ports::Codec`.
//!
//! [`load_codec`] gives what turns chats into tokens; it can be shared by all threads.
//! [`LocalEngine::load`] gives the models themselves; it is built on the thread that runs it.
//! Files are taken as plain paths: finding and fetching them is `models`' part, and batching and
//! sampling are the model worker's.

mod bert;
mod chat_template;
mod device_llama;
mod embedder;
mod folder_codec;
mod footprint;
mod gguf;
mod gguf_codec;
mod hyperparameters;
mod kernels;
mod llama;
mod load_error;
mod local;
mod matrix;
mod model_config;
mod model_file;
mod packed;
mod projection;
mod raw_tensor;
mod remote;
mod row_check;
mod safetensors;
mod safetensors_folder;
mod sentence_piece;
mod text_codec;
mod thread_team;
mod tokenizer_json;

#[cfg(test)]
mod bad_files;
#[cfg(test)]
mod batching;
#[cfg(test)]
mod codec_cases;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod small_model;
#[cfg(test)]
mod tiny_models;

pub use embedder::Embedder;
pub use footprint::footprint;
pub use load_error::{LoadError, LoadProblem};
pub use local::{Dtype, EngineOptions, LocalEngine, LocalModelFiles, Place, Precision};
pub use remote::{ApiKey, BadKey, BreakerPolicy, RemoteEngine, RemoteError, RemoteOptions};
pub use text_codec::{TextCodec, load_codec};
