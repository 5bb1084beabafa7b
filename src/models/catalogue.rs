//! The catalogue: which models there are, of which files, from which sources.
//!
//! It is a TOML file that the operator may replace, so everything in it is checked before a path,
//! a URL or a command line is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::digest::Digest;

/// The largest file that is taken, in bytes: 64 GiB.
pub const MAX_FILE_BYTES: u64 = 64 << 30;

const MAX_CATALOGUE_BYTES: u64 = 1 << 20;
const MAX_NAME: usize = 128;
const EMBEDDED: &str = include_str!("../../config/models.toml");

/// Where each file lies in a source: the file's name in the cache → its path there.
pub type Paths = BTreeMap<String, String>;

/// The models that can be brought into the cache.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    #[serde(default)]
    models: Vec<Model>,
}

/// One model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name, which is also its folder in the cache.
    pub name: String,
    /// Shorter names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it is for.
    pub kind: Kind,
    /// The licence of its files, as an SPDX identifier.
    pub licence: String,
    /// Its files; it is complete when all of them are there.
    pub files: Vec<ModelFile>,
    /// Where they come from, in the order in which the sources are tried.
    pub sources: Vec<Source>,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It writes text.
    Text,
    /// It turns text into vectors.
    Embedder,
}

/// One file of a model, the same whichever source it comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Its name in the model's folder.
    pub name: String,
    /// Its size in bytes; absent when it is not pinned.
    pub bytes: Option<u64>,
    /// Its digest; when absent, the one seen first is recorded and enforced.
    pub sha256: Option<Digest>,
}

/// A place that model files come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// A folder, or the one file of a model, on this machine.
    Local {
        /// The folder or file; absent until the user sets it.
        path: Option<PathBuf>,
        /// Paths below the folder, where they are not the files' names.
        #[serde(default)]
        paths: Paths,
    },
    /// A repository on the Hugging Face hub.
    Hub {
        /// `organisation/name`.
        repository: String,
        /// Branch, tag or commit.
        revision: String,
        /// Paths in the repository, where they are not the files' names.
        #[serde(default)]
        paths: Paths,
    },
    /// A Python wheel.
    Pip {
        /// The distribution's name.
        package: String,
        /// Its exact version.
        version: String,
        /// Paths inside the wheel, where they are not the files' names.
        #[serde(default)]
        paths: Paths,
    },
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("cannot read the model catalogue {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// It is not the TOML that is expected.
    #[error("the model catalogue cannot be understood: {0}")]
    Syntax(#[from] toml::de::Error),
    /// It is understood, and wrong.
    #[error("the model catalogue is wrong: {}", .0.join("; "))]
    Invalid(Vec<String>),
}

impl Catalogue {
    /// The catalogue that is built into the program (`config/models.toml`).
    ///
    /// # Errors
    /// Never, unless the program was built with a wrong one.
    pub fn embedded() -> Result<Self, CatalogueError> {
        Self::from_toml(EMBEDDED)
    }

    /// Reads a catalogue that takes the place of the embedded one.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than 1 MiB, or is no valid catalogue.
    pub fn from_file(path: &Path) -> Result<Self, CatalogueError> {
        let read = || -> std::io::Result<String> {
            let mut text = String::new();
            fs::File::open(path)?.take(MAX_CATALOGUE_BYTES + 1).read_to_string(&mut text)?;
            Ok(text)
        };
        let text = read().map_err(|cause| CatalogueError::Read { path: path.to_owned(), cause })?;
        if text.len() as u64 > MAX_CATALOGUE_BYTES {
            return Err(CatalogueError::Invalid(vec![format!(
                "{} is larger than 1 MiB",
                path.display()
            )]));
        }
        Self::from_toml(&text)
    }

    /// Parses and checks a catalogue.
    ///
    /// # Errors
    /// When it is not well-formed, or when names, paths or sources in it are unusable: every
    /// problem is listed.
    pub fn from_toml(text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = toml::from_str(text)?;
        let problems = catalogue.problems();
        if problems.is_empty() { Ok(catalogue) } else { Err(CatalogueError::Invalid(problems)) }
    }

    /// All models, in the catalogue's order.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model of that name or alias, or of that repository on the hub.
    pub fn find(&self, name: &str) -> Option<&Model> {
        let named = self.models.iter().find(|model| model.names().any(|known| known == name));
        let of_hub = |source: &Source| match source {
            Source::Hub { repository, .. } => repository == name,
            Source::Local { .. } | Source::Pip { .. } => false,
        };
        named.or_else(|| self.models.iter().find(|model| model.sources.iter().any(of_hub)))
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut seen = BTreeSet::new();
        for model in &self.models {
            for name in model.names() {
                if !plain(name, "._-") {
                    problems.push(format!("{name:?} is no usable model name"));
                }
                if !seen.insert(name) {
                    problems.push(format!("two models are called {name:?}"));
                }
            }
            model.check(&mut problems);
        }
        problems
    }
}

impl Model {
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }

    fn check(&self, problems: &mut Vec<String>) {
        let mut add = |problem: String| problems.push(format!("model {:?}: {problem}", self.name));
        if self.files.is_empty() || self.sources.is_empty() {
            add("it needs at least one file and one source".into());
        }
        let mut seen = BTreeSet::new();
        for ModelFile { name, bytes, .. } in &self.files {
            if !plain(name, "._-") || name == super::verify::RECORD {
                add(format!("{name:?} is no usable file name"));
            }
            if !seen.insert(name.as_str()) {
                add(format!("two files are called {name:?}"));
            }
            if bytes.is_some_and(|bytes| bytes == 0 || bytes > MAX_FILE_BYTES) {
                add(format!("{name:?} must have between 1 byte and 64 GiB"));
            }
        }
        for source in &self.sources {
            let usable = match source {
                Source::Local { .. } => true,
                Source::Hub { repository, revision, .. } => {
                    repository.split('/').count() <= 2
                        && repository.split('/').all(|part| plain(part, "._-"))
                        && revision.split('/').all(|part| plain(part, "._-"))
                }
                Source::Pip { package, version, .. } => {
                    plain(package, "._-") && plain(version, "._-+!")
                }
            };
            if !usable {
                add(format!("{source} is no usable source"));
            }
            for (file, path) in source.paths() {
                if !seen.contains(file.as_str()) {
                    add(format!("{source} has a path for {file:?}, which is no file of the model"));
                }
                if !relative(path) {
                    add(format!("{source} has the unusable path {path:?}"));
                }
            }
        }
    }
}

impl Source {
    /// Where the file of that name lies in this source.
    pub fn path_of<'a>(&'a self, file: &'a ModelFile) -> &'a str {
        self.paths().get(&file.name).unwrap_or(&file.name)
    }

    fn paths(&self) -> &Paths {
        match self {
            Self::Local { paths, .. } | Self::Hub { paths, .. } | Self::Pip { paths, .. } => paths,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local { path: Some(path), .. } => write!(f, "local {}", path.display()),
            Self::Local { path: None, .. } => f.write_str("local"),
            Self::Hub { repository, revision, .. } => write!(f, "hub {repository}@{revision}"),
            Self::Pip { package, version, .. } => write!(f, "pip {package}=={version}"),
        }
    }
}

/// One path component that begins with a letter or digit, so that it can be neither hidden, nor
/// `..`, nor an option on a command line.
fn plain(text: &str, also: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

fn relative(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 4 * MAX_NAME
        && !path.contains(|c: char| c.is_control() || c == '\\')
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(file: &str, source: &str) -> Result<Catalogue, CatalogueError> {
        Catalogue::from_toml(&format!(
            "[[models]]\nname = \"m\"\nkind = \"text\"\nlicence = \"MIT\"\n\
             [[models.files]]\n{file}\n[[models.sources]]\n{source}\n"
        ))
    }

    #[test]
    fn the_embedded_catalogue_names_both_models_fully_pinned() {
        let catalogue = Catalogue::embedded().unwrap();
        for (alias, name, kind) in [
            ("smollm2", "smollm2-135m-instruct", Kind::Text),
            ("minilm", "all-minilm-l6-v2", Kind::Embedder),
        ] {
            let model = catalogue.find(alias).unwrap();
            assert_eq!((model.name.as_str(), model.kind), (name, kind));
            assert!(model.files.iter().all(|file| file.bytes.is_some() && file.sha256.is_some()));
            let order: Vec<_> = model.sources.iter().map(ToString::to_string).collect();
            assert!(
                order[0].starts_with("local")
                    && order[1].starts_with("hub")
                    && order[2].starts_with("pip")
            );
        }
    }

    #[test]
    fn the_models_of_the_original_are_there_by_their_names_on_the_hub() {
        let catalogue = Catalogue::embedded().unwrap();
        for (repository, name, kind) in [
            ("HuggingFaceH4/zephyr-7b-beta", "zephyr-7b-beta", Kind::Text),
            ("WhereIsAI/UAE-Large-V1", "uae-large-v1", Kind::Embedder),
        ] {
            let model = catalogue.find(repository).unwrap();
            assert_eq!((model.name.as_str(), model.kind), (name, kind));
            assert!(model.files.iter().all(|file| file.sha256.is_none()), "nothing was looked at");
        }
        assert!(catalogue.find("HuggingFaceH4/zephyr-7b-alpha").is_none());
    }

    #[test]
    fn a_file_without_a_path_lies_at_its_own_name() {
        let catalogue =
            catalogue("name = 'a'", "from = 'pip'\npackage = 'p'\nversion = '1'").unwrap();
        let model = catalogue.find("m").unwrap();
        assert_eq!(model.sources[0].path_of(&model.files[0]), "a");
    }

    #[test]
    fn refuses_names_and_paths_that_lead_elsewhere() {
        let local = "from = 'local'";
        for name in ["../a", ".hidden", "a/b", "", "sha256.toml", "-d"] {
            assert!(catalogue(&format!("name = '{name}'"), local).is_err(), "{name}");
        }
        for path in ["/etc/passwd", "../a", "a/../../b", "a\\\\b", ""] {
            let source = format!("{local}\npaths = {{ a = \"{path}\" }}");
            assert!(catalogue("name = 'a'", &source).is_err(), "{path}");
        }
        for source in [
            "from = 'pip'\npackage = '--index-url=x'\nversion = '1'",
            "from = 'pip'\npackage = 'p'\nversion = '1 --pre'",
            "from = 'hub'\nrepository = '../x'\nrevision = 'main'",
            "from = 'hub'\nrepository = 'a/b/c'\nrevision = 'main'",
            "from = 'hub'\nrepository = 'a/b'\nrevision = '..'",
            "from = 'ftp'",
            "from = 'local'\npaths = { other = 'b' }",
        ] {
            assert!(catalogue("name = 'a'", source).is_err(), "{source}");
        }
    }

    #[test]
    fn lists_every_problem_at_once() {
        let problems =
            catalogue("name = '../a'\nbytes = 0", "from = 'pip'\npackage = ''\nversion = '1'")
                .unwrap_err();
        let CatalogueError::Invalid(problems) = problems else { panic!("{problems}") };
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn refuses_two_models_of_one_name() {
        let model = "[[models]]\nname = 'm'\nkind = 'text'\nlicence = 'MIT'\nfiles = [{ name = 'a' }]\nsources = [{ from = 'local' }]\n";
        assert!(Catalogue::from_toml(model).is_ok());
        assert!(Catalogue::from_toml(&format!("{model}{model}")).is_err());
    }
}
