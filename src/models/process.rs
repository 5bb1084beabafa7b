//! Child processes with a bound on their time, that do not outlive the future that waits for them.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use tokio::task::spawn_blocking;

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

impl Running {
    /// Waits for its end, for `bound` at most, and calls `tick` now and then.
    async fn end(
        &mut self,
        bound: Duration,
        mut tick: impl FnMut(),
    ) -> Result<ExitStatus, ChildError> {
        let wait = async {
            loop {
                if let Some(status) = self.0.try_wait().map_err(ChildError::Io)? {
                    return Ok(status);
                }
                tick();
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(bound, wait).await.unwrap_or(Err(ChildError::TooLong))
    }
}

/// Runs `command` to its end, for `bound` at most, and calls `tick` now and then. Gives back its
/// standard output where that was piped: what it wrote there must fit into the pipe's buffer.
pub(crate) async fn run(
    mut command: Command,
    bound: Duration,
    tick: impl FnMut(),
) -> Result<(ExitStatus, Option<ChildStdout>), ChildError> {
    let mut child = Running(command.spawn().map_err(ChildError::Io)?);
    let status = child.end(bound, tick).await?;
    Ok((status, child.0.stdout.take()))
}

/// Runs `command` to its end, for `bound` at most, with nothing to read. Gives back what it wrote,
/// of each kind no more than `most` bytes.
pub(crate) async fn output(
    mut command: Command,
    bound: Duration,
    most: u64,
) -> Result<Output, ChildError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running(command.spawn().map_err(ChildError::Io)?);
    let (out, err) = (child.0.stdout.take(), child.0.stderr.take());
    let stdout = spawn_blocking(move || read(out, most));
    let stderr = spawn_blocking(move || read(err, most));
    let status = child.end(bound, || ()).await?;
    let (stdout, stderr) = (stdout.await.unwrap_or_default(), stderr.await.unwrap_or_default());
    Ok(Output { status, stdout, stderr })
}

fn read(pipe: Option<impl Read>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What cannot be read is missed by whoever looks at it.
        let _ = pipe.take(most).read_to_end(&mut bytes);
    }
    bytes
}
