//! Logs: one line an event on standard error, and panics as events.

use tracing_subscriber::EnvFilter;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings and errors: for commands that print data.
    Quiet,
    /// What an operator wants to know.
    Info,
    /// What an engineer wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// Starts logging. To be called once, by `main`. `RUST_LOG` overrides `verbosity`; colours are off
/// unless `color`.
pub fn start(verbosity: Verbosity, color: bool) {
    let default = match verbosity {
        Verbosity::Quiet => "warn",
        Verbosity::Info => "info,actix_server=warn",
        Verbosity::Debug => "debug,actix_server=info,hyper_util=info,reqwest=info,mio=info",
        Verbosity::Trace => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(color)
        .with_target(false)
        .finish();
    // A second start, as in tests, keeps the first.
    let _ = tracing::subscriber::set_global_default(logs);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let said = payload.downcast_ref::<&str>().copied();
        let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(place, said = said.unwrap_or("no message"), "panic");
    }));
}
