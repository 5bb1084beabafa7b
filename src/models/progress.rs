//! How a pull is shown to the user while it runs.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// A bar on standard error.
    Bar,
    /// One log line at the start and one at the end of each file.
    #[default]
    Lines,
}

impl Progress {
    /// A bar where standard error is a terminal, log lines elsewhere.
    pub fn detect() -> Self {
        if std::io::stderr().is_terminal() { Self::Bar } else { Self::Lines }
    }
}

/// The progress of one file or package; the bar goes away when it is dropped.
pub(super) struct Meter {
    bar: ProgressBar,
    what: String,
    lines: bool,
}

impl Meter {
    /// Begins to show `what`, for example `smollm2/model.gguf from hub x/y`.
    pub(super) fn start(progress: Progress, what: String, total: Option<u64>) -> Self {
        let lines = progress == Progress::Lines;
        let target =
            if lines { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match total {
            Some(_) => "{msg} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{msg} {spinner} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.clone());
        if lines {
            tracing::info!(bytes = total, "pulling {what}");
        }
        Self { bar, what, lines }
    }

    pub(super) fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    pub(super) fn tick(&self) {
        self.bar.tick();
    }

    /// Ends it as a success; one that is dropped without this has failed, and its error tells why.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
        if self.lines {
            tracing::info!("pulled {}", self.what);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.bar.is_finished() {
            return;
        }
        self.bar.finish_and_clear();
        if self.lines {
            tracing::info!("gave up on {}", self.what);
        }
    }
}
