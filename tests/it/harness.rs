//! Runs the program in a folder of its own, with an environment of its own, for a bounded time.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "another process is waited for on real time; one that does not end fails its test"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// How long a wait lasts between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// A wait ends after so many looks: five minutes, for the real model in a build for debugging.
const LOOKS: u32 = 15_000;
/// So many milliseconds pass before a supervisor kills what it told to end.
const SUPERVISOR: u128 = 10_000;

/// A folder that is home, working folder, cache and state of everything started in it.
pub(crate) struct Place {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// Sets a variable for everything that is started from now on.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.environment.push((name.to_owned(), value.as_ref().to_str().unwrap().to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// The objects of a file of JSON lines.
    pub(crate) fn lines(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    /// Starts the program; `line` is split at blanks.
    pub(crate) fn start(&self, line: &str) -> Running {
        self.start_with(line, &[])
    }

    /// Starts the program with further arguments that are passed as they are.
    pub(crate) fn start_with(&self, line: &str, more: &[&str]) -> Running {
        self.spawn(sn1(line, more, Stdio::null()), format!("sn1 {line} {}", more.join(" ")))
    }

    /// Runs the program with a file of the place on its standard input.
    pub(crate) fn run_fed(&self, line: &str, name: &str) -> Ended {
        let input = Stdio::from(File::open(self.path(name)).unwrap());
        self.spawn(sn1(line, &[], input), format!("sn1 {line} < {name}")).wait()
    }

    /// Starts another program. Its standard input stays open while it is wanted.
    pub(crate) fn start_other(&self, program: &Path, arguments: &[impl AsRef<OsStr>]) -> Running {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped());
        self.spawn(command, program.display().to_string())
    }

    /// Runs another program with a file of the place on its standard input.
    pub(crate) fn run_other_fed(
        &self,
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        name: &str,
    ) -> Ended {
        let mut command = Command::new(program);
        command.args(arguments).stdin(File::open(self.path(name)).unwrap());
        self.spawn(command, program.display().to_string()).wait()
    }

    fn spawn(&self, mut command: Command, line: String) -> Running {
        let (home, logs) = (self.folder.path(), tempfile::tempdir_in(&self.folder).unwrap());
        let log = |name: &str| File::create(logs.path().join(name)).unwrap();
        command.current_dir(home).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home).env("XDG_STATE_HOME", home.join("state"));
        command.env("XDG_CACHE_HOME", home.join("cache"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(log("out")).stderr(log("err"));
        Running { child: command.spawn().unwrap(), line, logs }
    }

    pub(crate) fn run(&self, line: &str) -> Ended {
        self.start(line).wait()
    }

    pub(crate) fn run_with(&self, line: &str, more: &[&str]) -> Ended {
        self.start_with(line, more).wait()
    }
}

fn sn1(line: &str, more: &[&str], input: Stdio) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sn1"));
    command.args(line.split_whitespace()).args(more).stdin(input);
    command
}

/// The program while it runs. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    line: String,
    logs: TempDir,
}

impl Running {
    /// Waits for the end.
    pub(crate) fn wait(mut self) -> Ended {
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait().unwrap() {
                let line = self.line.clone();
                return Ended { line, code: status.code(), out: self.out(), err: self.err() };
            }
            sleep(LOOK);
        }
        panic!("`{}` does not end\n{}\n{}", self.line, self.out(), self.err());
    }

    /// As [`Self::wait`], but fails when it takes longer than a supervisor waits.
    pub(crate) fn wait_as_a_supervisor(mut self) -> Ended {
        for _ in 0..SUPERVISOR / LOOK.as_millis() {
            if self.child.try_wait().unwrap().is_some() {
                return self.wait();
            }
            sleep(LOOK);
        }
        panic!("`{}` does not end in time\n{}\n{}", self.line, self.out(), self.err());
    }

    /// Waits until a file holds a text; fails when the program ends before.
    pub(crate) fn until(&mut self, file: &Path, text: &str) -> String {
        self.until_so(file, text, |found| found.contains(text))
    }

    /// Waits until a file is as `wanted`, which `what` describes; fails when the program ends before.
    pub(crate) fn until_so(
        &mut self,
        file: &Path,
        what: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        for _ in 0..LOOKS {
            let ended = self.child.try_wait().unwrap();
            let found = fs::read_to_string(file).unwrap_or_default();
            if wanted(&found) {
                return found;
            }
            if let Some(status) = ended {
                panic!("`{}` ended with {status} before {what:?}\n{}", self.line, self.err());
            }
            sleep(LOOK);
        }
        panic!("`{}` never gets to {what:?}\n{}\n{}", self.line, self.out(), self.err());
    }

    /// Waits until a text was printed.
    pub(crate) fn until_printed(&mut self, text: &str) -> String {
        self.until(&self.logs.path().join("out"), text)
    }

    /// Waits until a text was logged.
    pub(crate) fn until_logged(&mut self, text: &str) -> String {
        self.until(&self.logs.path().join("err"), text)
    }

    /// Waits until something is so, which `what` describes; fails when the program ends before.
    pub(crate) fn until_true(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        for _ in 0..LOOKS {
            let ended = self.child.try_wait().unwrap();
            if is_so() {
                return;
            }
            if let Some(status) = ended {
                panic!("`{}` ended with {status} before {what}\n{}", self.line, self.err());
            }
            sleep(LOOK);
        }
        panic!("`{}` never gets to {what}\n{}\n{}", self.line, self.out(), self.err());
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The standard input of a program that was started with [`Place::start_other`].
    pub(crate) fn input(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().unwrap()
    }

    /// The next connection that the program opens; fails when it ends before.
    pub(crate) fn connects_to(&mut self, listener: &TcpListener) -> TcpStream {
        listener.set_nonblocking(true).unwrap();
        for _ in 0..LOOKS {
            if let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(LOOK * LOOKS)).unwrap();
                return stream;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!(
                    "`{}` ended with {status} and connected to nobody\n{}",
                    self.line,
                    self.err()
                );
            }
            sleep(LOOK);
        }
        panic!("`{}` connects to nobody\n{}", self.line, self.err());
    }

    /// How many addresses the program listens at.
    pub(crate) fn listens_at(&self) -> usize {
        let proc = PathBuf::from(format!("/proc/{}", self.child.id()));
        let table = fs::read_to_string(proc.join("net/tcp")).unwrap();
        let listening = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let listening = listening.filter(|cells| cells.get(3) == Some(&"0A"));
        let sockets: Vec<_> = listening.map(|cells| format!("socket:[{}]", cells[9])).collect();
        let open = fs::read_dir(proc.join("fd")).unwrap().flatten();
        let open = open.filter_map(|file| fs::read_link(file.path()).ok());
        open.filter(|file| sockets.iter().any(|socket| file.as_os_str() == socket.as_str())).count()
    }

    /// Sends a signal by name, as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    fn out(&self) -> String {
        read(&self.logs, "out")
    }

    fn err(&self) -> String {
        read(&self.logs, "err")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless its test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(logs: &TempDir, name: &str) -> String {
    fs::read_to_string(logs.path().join(name)).unwrap_or_default()
}

/// How a run of the program ended.
pub(crate) struct Ended {
    line: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Fails unless it ended with that code.
    pub(crate) fn expect(self, code: i32) -> Self {
        let Self { line, out, err, .. } = &self;
        assert_eq!(self.code, Some(code), "`{line}`\nprinted:\n{out}\nlogged:\n{err}");
        self
    }

    /// Fails unless it ended with that code and one line that holds all the texts.
    pub(crate) fn refused(self, code: i32, texts: &[&str]) {
        let ended = self.expect(code);
        let (line, said) = (&ended.line, ended.err.trim());
        assert_eq!(said.lines().count(), 1, "`{line}` says more than a line:\n{said}");
        for text in texts {
            assert!(said.contains(text), "`{line}` does not name {text}:\n{said}");
        }
    }

    /// What it printed, once it ended well.
    pub(crate) fn json(self) -> Value {
        let ended = self.expect(0);
        serde_json::from_str(&ended.out).unwrap()
    }
}

/// A port that nobody listens on. It lies below those that the system gives to whoever asks for
/// any, and no other test of this process gets it.
pub(crate) fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let next = || first + GIVEN.fetch_add(1, Ordering::Relaxed);
    std::iter::repeat_with(next).take(2_000).find(free).unwrap()
}
