use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;
use tempfile::TempDir;

use super::*;

mod flags_and_names;
mod layers_and_origins;
mod problems;
mod task_measures;

/// Inputs with a home folder, with nothing set.
fn inputs() -> Inputs {
    Inputs { home: Some(PathBuf::from("/home/u")), ..Inputs::default() }
}

fn command() -> Command {
    add_config_flags(Command::new("sn1"))
}

fn flags(line: &[&str]) -> FlagValues {
    let line = ["sn1"].iter().chain(line);
    collect_flags(&command().try_get_matches_from(line).unwrap())
}

fn with_flags(line: &[&str]) -> Inputs {
    Inputs { flags: flags(line), ..inputs() }
}

fn with_environment(variables: &[(&str, &str)]) -> Inputs {
    let environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Inputs { environment, ..inputs() }
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn with_file(path: &Path) -> Inputs {
    let mut inputs = inputs();
    inputs.flags.overlays.push(path.to_owned());
    inputs
}

fn validator(inputs: &Inputs) -> Settings {
    Settings::load(Role::Validator, inputs).unwrap().settings
}

fn refusal(role: Role, inputs: &Inputs) -> ConfigErrors {
    Settings::load(role, inputs).unwrap_err()
}

/// The only problem there is.
fn only(role: Role, inputs: &Inputs) -> Problem {
    let ConfigErrors(mut problems) = refusal(role, inputs);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}
