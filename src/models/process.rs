//! Child processes with a bound on their time, that do not outlive the future that waits for them.

use std::io;
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::time::Duration;

const POLL: Duration = Duration::from_millis(50);

/// Why a child process gave no exit status.
#[derive(Debug)]
pub(crate) enum ChildError {
    /// It could not be started or waited for.
    Io(io::Error),
    /// It ran past its bound and was killed.
    TooLong,
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a child that has ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `command` to its end, for `bound` at most, and calls `tick` now and then. Gives back its
/// standard output where that was piped: what it wrote there must fit into the pipe's buffer.
pub(crate) async fn run(
    mut command: Command,
    bound: Duration,
    mut tick: impl FnMut(),
) -> Result<(ExitStatus, Option<ChildStdout>), ChildError> {
    let mut child = Running(command.spawn().map_err(ChildError::Io)?);
    let wait = async {
        loop {
            if let Some(status) = child.0.try_wait().map_err(ChildError::Io)? {
                return Ok((status, child.0.stdout.take()));
            }
            tick();
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(bound, wait).await.unwrap_or(Err(ChildError::TooLong))
}
