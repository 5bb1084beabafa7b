//! Configuration: which keys there are, where their values come from, and the typed settings.
//!
//! One rule names everything: flag `--a.b` = TOML key `a.b` = environment `SN1_A__B`; a key without
//! a section, such as `netuid`, is `SN1__NETUID`. Of the environment only names with `__` are
//! configuration. Layers, a later one wins: the embedded files of `config/`, the first
//! `<role>.toml` found in the search folders, each `--config FILE`, the environment, the flags.
//!
//! Every problem of every layer is reported at once, with its place. The environment and the
//! folders to search are data ([`Inputs`]) that `main` reads once; nothing here looks at the
//! process itself except [`Inputs::from_process`].
//!
//! Used by the command line (`src/cli`) and, as [`Settings`], by the wiring. It leaves out whether
//! a value makes sense to the outside: that a wallet exists or a model can be loaded.

pub mod flags;
pub mod keys;
mod layers;
pub mod origin;
pub mod problem;
pub mod settings;
mod suggest;
mod toml_file;
mod value;

#[cfg(test)]
mod tests;

pub use flags::{FlagValue, FlagValues, add_config_flags, add_flags_of, collect_flags};
pub use keys::{ALIASES, KEYS, Key, Kind, Meaning, Range, Role};
pub use origin::{Origin, Origins, Place};
pub use problem::{ConfigErrors, Problem, ProblemKind, Warning};
pub use settings::{
    DTYPES, Device, Engine, ExternalMiner, Inputs, Loaded, LogFormat, MinerKind, NETWORKS, OpenAi,
    PRECISIONS, Settings, SourceName, Subtensor, Tools, is_file_name,
};
