//! Child processes with a bound on their time, that do not outlive the future that waits for them.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

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
/// of each kind no more than `most` bytes; who inherits its pipes is waited for too.
pub(crate) async fn output(
    mut command: Command,
    bound: Duration,
    most: u64,
) -> Result<Output, ChildError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running(command.spawn().map_err(ChildError::Io)?);
    let (out, err) = (pipe(child.0.stdout.take())?, pipe(child.0.stderr.take())?);
    let all = async {
        let (status, stdout, stderr) =
            tokio::join!(child.end(bound, || ()), read(out, most), read(err, most));
        Ok(Output { status: status?, stdout, stderr })
    };
    tokio::time::timeout(bound, all).await.unwrap_or(Err(ChildError::TooLong))
}

/// No thread waits at it: one that did would keep the program from ending.
fn pipe(end: Option<impl Into<OwnedFd>>) -> Result<Option<Receiver>, ChildError> {
    end.map(|end| Receiver::from_owned_fd(end.into())).transpose().map_err(ChildError::Io)
}

async fn read(pipe: Option<Receiver>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What cannot be read is missed by whoever looks at it. Who writes more finds it closed.
        let _ = pipe.take(most).read_to_end(&mut bytes).await;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn what_a_program_writes_is_read_up_to_a_bound_and_more_ends_it() {
        let bound = Duration::from_secs(30);
        let ended = output(shell("echo yes; echo no >&2; exit 3"), bound, 10).await.unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(ended.stdout, b"yes\n");
        assert_eq!(ended.stderr, b"no\n");
        let endless = output(Command::new("yes"), bound, 10).await.unwrap();
        assert_eq!(endless.stdout.len(), 10);
    }

    #[test]
    fn who_inherits_a_pipe_holds_up_neither_the_answer_nor_the_end_of_the_program() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sleeper");
        let script = format!("sleep 60 & echo $! > '{}'; echo sn1 1", path.display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ended = runtime.block_on(output(shell(&script), Duration::from_secs(2), 100));
        assert!(matches!(ended, Err(ChildError::TooLong)), "{ended:?}");
        drop(runtime);
        // It sleeps still: what has ended has no command line.
        let sleeper = std::fs::read_to_string(path).unwrap();
        let sleeper = sleeper.trim();
        assert!(!std::fs::read(format!("/proc/{sleeper}/cmdline")).unwrap().is_empty());
        assert!(shell(&format!("kill {sleeper}")).status().unwrap().success());
    }
}
