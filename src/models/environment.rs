//! What the store takes from the process environment, read once and handed in, so that a test or
//! a configuration file can put other values there.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// The parts of the environment that decide where model files lie and how they are fetched.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The user's home folder (`HOME`).
    pub home: Option<PathBuf>,
    /// The folder for caches (`XDG_CACHE_HOME`); a relative path is ignored, as its specification says.
    pub xdg_cache_home: Option<PathBuf>,
    /// The folder in which Hugging Face tools keep their files (`HF_HOME`).
    pub hf_home: Option<PathBuf>,
    /// The hub's address (`HF_ENDPOINT`); `https://huggingface.co` when absent.
    pub hf_endpoint: Option<String>,
    /// The token for gated repositories (`HF_TOKEN`), sent to the endpoint and nowhere else.
    pub hf_token: Option<HubToken>,
    /// The Python that has pip: an absolute path, or a name that is looked up in `PATH`.
    pub python: PathBuf,
    /// The POSIX `df` that is asked for free space: an absolute path, or a name in `PATH`.
    pub df: PathBuf,
}

impl Environment {
    /// Reads the process environment; an empty variable counts as absent.
    pub fn read() -> Self {
        let path = |name| variable(name).map(PathBuf::from);
        let text = |name| variable(name).and_then(|value| value.into_string().ok());
        Self {
            home: path("HOME"),
            xdg_cache_home: path("XDG_CACHE_HOME"),
            hf_home: path("HF_HOME"),
            hf_endpoint: text("HF_ENDPOINT"),
            hf_token: text("HF_TOKEN").map(HubToken::new),
            ..Self::default()
        }
    }

    /// The user's folder for caches, if the environment tells one.
    pub(crate) fn cache_home(&self) -> Option<PathBuf> {
        let xdg = self.xdg_cache_home.as_ref().filter(|path| path.is_absolute());
        xdg.cloned().or_else(|| self.home.as_ref().map(|home| home.join(".cache")))
    }

    /// The folder in which Hugging Face tools keep their files, if the environment tells one.
    pub(super) fn hub_home(&self) -> Option<PathBuf> {
        self.hf_home.clone().or_else(|| Some(self.cache_home()?.join("huggingface")))
    }
}

impl Default for Environment {
    /// No variable set; `python3` and `df` from `PATH`.
    fn default() -> Self {
        Self {
            home: None,
            xdg_cache_home: None,
            hf_home: None,
            hf_endpoint: None,
            hf_token: None,
            python: "python3".into(),
            df: "df".into(),
        }
    }
}

/// A Hugging Face token. It has no `Display`, and its `Debug` hides it, so that it cannot be logged.
#[derive(Clone)]
pub struct HubToken(String);

impl HubToken {
    /// Takes the token as the user wrote it; blanks around it are dropped.
    pub fn new(token: impl AsRef<str>) -> Self {
        Self(token.as_ref().trim().to_owned())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HubToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HubToken(hidden)")
    }
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_hidden_in_debug_output() {
        let environment =
            Environment { hf_token: Some(HubToken::new("hf_secret")), ..Environment::default() };
        assert!(!format!("{environment:?}").contains("hf_secret"));
    }
}
