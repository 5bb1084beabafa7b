//! The line that moves on a terminal while a file is read.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how many of so many bytes are `done`, until it is finished; nothing where there is no
/// terminal.
pub(super) fn of_bytes(bytes: u64, done: &'static str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(bytes), target).with_message(done);
    let template = "{spinner} {bytes} of {total_bytes} {msg}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
