//! Why a model file could not be used: one type for all readers of this module, so that whoever
//! fetches files can tell "fetch it again" from "choose another model".

use std::io;
use std::path::{Path, PathBuf};

/// A model file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("the model file {} cannot be used: {problem}", path.display())]
pub struct LoadError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: LoadProblem,
}

/// What is wrong with a model file.
#[derive(Debug, thiserror::Error)]
pub enum LoadProblem {
    /// There is no such file.
    #[error("there is no such file; fetch it with `sn1 models`")]
    Missing,
    /// The file is there but the system does not let it be read.
    #[error("it cannot be read ({0}); check its permissions and the disk")]
    Unreadable(io::Error),
    /// The file is of another kind.
    #[error("it does not begin as a GGUF file does; choose a .gguf file or a model's folder")]
    NotGguf,
    /// The file ends too soon.
    #[error("it ends within {0}; fetch it again")]
    Truncated(String),
    /// The file contradicts itself or holds impossible values.
    #[error("it is damaged ({0}); fetch it again")]
    Damaged(String),
    /// The file is sound but of a kind that this program cannot run.
    #[error("it is of a kind that is not supported ({0}); choose another model")]
    Unsupported(String),
    /// The file may be sound, but the device that was chosen cannot run it.
    #[error("its device is no use: {0}")]
    Device(String),
    /// A metadata entry that is needed is absent.
    #[error("it lacks the metadata entry {0}; choose another model")]
    MissingMetadata(String),
    /// A tensor that is needed is absent.
    #[error("it lacks the tensor {0}; choose another model")]
    MissingTensor(String),
    /// A tensor has another shape than the hyperparameters ask for.
    #[error("tensor {tensor} has the shape {found:?} where {expected:?} is needed; fetch it again")]
    WrongShape {
        /// The tensor's name.
        tensor: String,
        /// Its shape in the file, outermost dimension first.
        found: Vec<usize>,
        /// The shape that the hyperparameters ask for, outermost dimension first.
        expected: Vec<usize>,
    },
    /// One file of a model's folder has a problem.
    #[error("its {file}: {problem}")]
    Within {
        /// The file's name in the folder.
        file: String,
        /// What is wrong with it.
        problem: Box<LoadProblem>,
    },
}

/// What is known of a tensor of this shape; refuses one that is absent (`None`) or of another.
pub(super) fn of_shape<'a, T>(
    tensor: &str,
    known: Option<&'a T>,
    shape_of: impl Fn(&T) -> &[usize],
    expected: &[usize],
) -> Result<&'a T, LoadProblem> {
    let known = known.ok_or_else(|| LoadProblem::MissingTensor(tensor.into()))?;
    let found = shape_of(known);
    if found != expected {
        return Err(LoadProblem::WrongShape {
            tensor: tensor.into(),
            found: found.to_vec(),
            expected: expected.to_vec(),
        });
    }
    Ok(known)
}

impl LoadProblem {
    /// This problem as that of the file at `path`, or of the file in the folder at `path` that it
    /// is within.
    pub(super) fn at(self, path: &Path) -> LoadError {
        match self {
            Self::Within { file, problem } => problem.at(&path.join(file)),
            problem => LoadError { path: path.to_owned(), problem },
        }
    }

    /// This problem as that of a file in a model's folder.
    pub(super) fn within(self, file: &str) -> Self {
        Self::Within { file: file.to_owned(), problem: Box::new(self) }
    }
}

impl From<io::Error> for LoadProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::UnexpectedEof => Self::Truncated("its last value".into()),
            _ => Self::Unreadable(error),
        }
    }
}
