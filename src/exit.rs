//! How the program ends: one exit code for each kind of end, so that a supervisor knows whether to
//! start it again. The README has the same table.

use sn1_actors::runtime::FaultKind;

/// A kind of end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done.
    Done,
    /// Something went wrong that has no kind of its own.
    Failed,
    /// A flag, a key or an argument is wrong. Starting again changes nothing.
    Usage,
    /// A port is in use or an address is not ours. Starting again changes nothing.
    Address,
    /// A file cannot be read or written, or another process has it: journal, summary, state. Starting
    /// again changes nothing.
    File,
    /// A model file is missing, wrong or damaged. Starting again changes nothing.
    Model,
    /// A part that a later version brings. Starting again changes nothing.
    NotBuilt,
    /// The chain cannot be reached, or does not have what was asked of it. Start again.
    Chain,
    /// A replay does not come to what the journal has. Starting again changes nothing.
    Differs,
    /// An actor crashed more often than its budget allows. Start again.
    GaveUp,
    /// The device is lost to this process. Start again.
    DeviceLost,
    /// Ended at once by a second Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The code that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Address => 3,
            Self::File => 4,
            Self::Model => 5,
            Self::NotBuilt => 6,
            Self::Chain => 7,
            Self::Differs => 8,
            Self::GaveUp => 70,
            Self::DeviceLost => 75,
            Self::Interrupted => 130,
        }
    }
}

impl From<FaultKind> for Exit {
    fn from(kind: FaultKind) -> Self {
        match kind {
            FaultKind::GaveUp => Self::GaveUp,
            FaultKind::DeviceLost => Self::DeviceLost,
        }
    }
}

/// An error with the kind of end that it calls for. It is what commands return through `anyhow`;
/// an error without one is [`Exit::Failed`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Ended {
    /// How the program ends.
    pub exit: Exit,
    /// One line that names the thing, the cause and the next step.
    pub message: String,
}

impl Ended {
    /// An end of a kind with what to say about it.
    #[must_use]
    pub fn new(exit: Exit, message: impl ToString) -> Self {
        Self { exit, message: message.to_string() }
    }
}
