//! Traces for an OpenTelemetry collector, over HTTP: one conversation of a validator is one trace.
//!
//! Nothing waits for it: spans go to a thread of their own through a bounded queue, and those that do not
//! fit are lost. It is on where the standard variable `OTEL_EXPORTER_OTLP_ENDPOINT` (or
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) names a collector, unless `OTEL_SDK_DISABLED` is true or
//! `OTEL_TRACES_EXPORTER` is none. The library reads those of headers, timeout, batches (`OTEL_BSP_…`),
//! service name and resource attributes. Left out: metrics, which Prometheus has, logs, and every text.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use sn1_actors::spans;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// The variables that name a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// How long the last spans may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// The traces of this process. Clones are the same.
#[derive(Clone)]
pub(super) struct Traces(Result<SdkTracerProvider, String>);

/// What the environment asks for, and what takes the spans for it; neither where it wants no traces.
pub(super) fn from_environment<S>() -> (Option<Traces>, Option<impl Layer<S>>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    // The library reads neither of the two.
    let off = value("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true")
        || value("OTEL_TRACES_EXPORTER").eq_ignore_ascii_case("none");
    if off || ENDPOINTS.iter().all(|name| value(name).is_empty()) {
        return (None, None);
    }
    let exporter = match Otlp::builder().with_http().build() {
        Ok(exporter) => WarnsOnce { to: exporter, warned: AtomicBool::new(false) },
        Err(error) => return (Some(Traces(Err(error.to_string()))), None),
    };
    let named = !value("OTEL_SERVICE_NAME").is_empty()
        || value("OTEL_RESOURCE_ATTRIBUTES").contains("service.name=");
    let resource = Resource::builder();
    let resource = if named { resource } else { resource.with_service_name("sn1") };
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build();
    let conversations = Targets::new().with_target(spans::TARGET, LevelFilter::DEBUG);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("sn1"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_context_activation(false)
        .with_filter(conversations);
    (Some(Traces(Ok(provider))), Some(layer))
}

impl Traces {
    /// Says what became of the wish for traces, once there is a log to say it in.
    pub(super) fn begun(&self) {
        if let Err(error) = &self.0 {
            tracing::warn!(
                error,
                "there will be no traces: check the variables OTEL_EXPORTER_OTLP_…"
            );
        }
    }

    /// Sends the last of them.
    pub(super) fn close(&self) {
        if let Ok(provider) = &self.0 {
            // The exporter has said what it could not send.
            let _ = provider.shutdown_with_timeout(GOODBYE);
        }
    }
}

/// An exporter that says once that the collector takes nothing, until it does again.
#[derive(Debug)]
struct WarnsOnce {
    to: Otlp,
    warned: AtomicBool,
}

impl SpanExporter for WarnsOnce {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.to.export(batch).await;
        let failed = sent.is_err();
        if let (Err(error), false) = (&sent, self.warned.swap(failed, Ordering::Relaxed)) {
            tracing::warn!(%error, "the OpenTelemetry collector takes no traces; they are lost until it does");
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.to.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.to.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.to.set_resource(resource);
    }
}
