//! Logs: one line an event, on standard error or in a file, and panics as events; and traces, in a
//! build with the feature `otel`.

mod log_file;
#[cfg(feature = "otel")]
mod traces;

use std::io;
use std::path::PathBuf;

use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry, reload};

use crate::config::LogFormat;
use log_file::LogFile;

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

impl Verbosity {
    fn filter(self) -> EnvFilter {
        EnvFilter::new(match self {
            Self::Quiet => "warn",
            Self::Info => "info,actix_server=warn",
            Self::Debug => "debug,actix_server=info,hyper_util=info,reqwest=info,mio=info",
            Self::Trace => "trace",
        })
    }
}

/// What is logged, how and where to.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// How much; `RUST_LOG` goes before it.
    pub verbosity: Verbosity,
    /// How a line looks.
    pub format: LogFormat,
    /// Colours on standard error.
    pub color: bool,
    /// The file instead of standard error, and the size in bytes at which a new one begins.
    pub file: Option<(PathBuf, u64)>,
}

/// The log of this process while it runs. Clones are the same log.
#[derive(Clone)]
pub struct Logs {
    /// Nothing where `RUST_LOG` says how much is logged.
    filter: Option<reload::Handle<EnvFilter, registry::Registry>>,
    file: Option<LogFile>,
    #[cfg(feature = "otel")]
    traces: Option<traces::Traces>,
}

impl Logs {
    /// Logs so much from now on, unless `RUST_LOG` says how much: then the answer is `false`.
    #[must_use]
    pub fn set_verbosity(&self, verbosity: Verbosity) -> bool {
        let Some(filter) = &self.filter else { return false };
        // It fails only where another log was there before, as in tests.
        let _ = filter.reload(verbosity.filter());
        true
    }

    /// Opens the file anew, which somebody may have moved away.
    ///
    /// # Errors
    /// If it cannot be written, which it names; the one that was open goes on.
    pub fn reopen(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), LogFile::reopen)
    }

    /// Sends what is still to be sent, for a moment at most. To be called at the end, by `main`.
    pub fn close(&self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = &self.traces {
            traces.close();
        }
    }
}

/// Starts logging. To be called once, by `main`.
///
/// # Errors
/// If the file cannot be written, which it names.
pub fn start(options: LogOptions) -> io::Result<Logs> {
    let LogOptions { verbosity, format, color, file } = options;
    let file = file.map(|(path, max_bytes)| LogFile::open(path, max_bytes)).transpose()?;
    let writer = match &file {
        Some(file) => BoxMakeWriter::new(file.clone()),
        None => BoxMakeWriter::new(io::stderr),
    };
    let lines = fmt::layer().with_writer(writer).with_ansi(color && file.is_none());
    let lines = lines.with_target(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let (filter, handle) = match EnvFilter::try_from_default_env() {
        Ok(filter) => (reload::Layer::new(filter).0, None),
        Err(_) => {
            let (filter, handle) = reload::Layer::new(verbosity.filter());
            (filter, Some(handle))
        }
    };
    let lines = registry().with(lines.with_filter(filter));
    #[cfg(feature = "otel")]
    let (traces, spans) = traces::from_environment();
    #[cfg(feature = "otel")]
    let lines = lines.with(spans);
    // A second start, as in tests, keeps the first.
    let _ = tracing::subscriber::set_global_default(lines);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let said = payload.downcast_ref::<&str>().copied();
        let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(place, said = said.unwrap_or("no message"), "panic");
    }));
    #[cfg(feature = "otel")]
    if let Some(traces) = &traces {
        traces.begun();
    }
    Ok(Logs {
        filter: handle,
        file,
        #[cfg(feature = "otel")]
        traces,
    })
}
