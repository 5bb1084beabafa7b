//! Tells systemd how the program is, where a unit of `Type=notify` started it (`sd_notify(3)`).
//!
//! It is ready when it works, stopping when its work has ended, and alive as long as the thread
//! of the actors turns. Anywhere else nothing is told to anybody.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use sn1_actors::runtime::Overseer;

/// Where systemd listens.
const SOCKET: &str = "NOTIFY_SOCKET";
/// How many microseconds it waits for a sign of life, and whose it wants.
const WATCHDOG: (&str, &str) = ("WATCHDOG_USEC", "WATCHDOG_PID");

/// Whoever started this process, if they listen.
#[derive(Clone)]
pub(super) struct Notify {
    socket: Option<Rc<(UnixDatagram, PathBuf)>>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// As the environment says.
    pub(super) fn from_process() -> Self {
        let path = std::env::var_os(SOCKET).map(PathBuf::from).filter(|path| path.is_absolute());
        let socket = path.and_then(|path| {
            let socket = UnixDatagram::unbound().ok()?;
            // What nobody reads must not hold up anything.
            socket.set_nonblocking(true).ok()?;
            Some(Rc::new((socket, path)))
        });
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let ours = number(WATCHDOG.1).is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number(WATCHDOG.0).filter(|_| ours).map(Duration::from_micros);
        Self { socket, watchdog }
    }

    /// The program does what it was started for.
    pub(super) fn ready(&self, overseer: &Overseer) {
        self.say("READY=1");
        let Some(every) = self.watchdog else { return };
        let alive = self.clone();
        let clock = overseer.clock();
        overseer.tasks().spawn("watchdog", async move {
            loop {
                alive.say("WATCHDOG=1");
                clock.sleep(every / 2).await;
            }
        });
    }

    /// The program is about to end.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, state: &str) {
        let Some((socket, path)) = self.socket.as_deref() else { return };
        if let Err(error) = socket.send_to(state.as_bytes(), path) {
            tracing::debug!(%error, state, "systemd is not told");
        }
    }
}
