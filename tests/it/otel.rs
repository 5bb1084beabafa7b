//! Traces as an OpenTelemetry collector gets them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use prost::Message;
use serde_json::Value;

use crate::harness::{Place, free_port};

/// The messages of `opentelemetry/proto/collector/trace/v1` that are looked at.
mod proto {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Request {
        #[prost(message, repeated, tag = "1")]
        pub(super) resources: Vec<ResourceSpans>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ResourceSpans {
        #[prost(message, optional, tag = "1")]
        pub(super) resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")]
        pub(super) scopes: Vec<ScopeSpans>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Resource {
        #[prost(message, repeated, tag = "1")]
        pub(super) attributes: Vec<KeyValue>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ScopeSpans {
        #[prost(message, repeated, tag = "2")]
        pub(super) spans: Vec<Span>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Span {
        #[prost(bytes = "vec", tag = "1")]
        pub(super) trace: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        pub(super) id: Vec<u8>,
        #[prost(bytes = "vec", tag = "4")]
        pub(super) parent: Vec<u8>,
        #[prost(string, tag = "5")]
        pub(super) name: String,
        #[prost(fixed64, tag = "7")]
        pub(super) start: u64,
        #[prost(fixed64, tag = "8")]
        pub(super) end: u64,
        #[prost(message, repeated, tag = "9")]
        pub(super) attributes: Vec<KeyValue>,
        /// Whatever was logged within it.
        #[prost(bytes = "vec", repeated, tag = "11")]
        pub(super) events: Vec<Vec<u8>>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct KeyValue {
        #[prost(string, tag = "1")]
        pub(super) key: String,
        #[prost(message, optional, tag = "2")]
        pub(super) value: Option<AnyValue>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct AnyValue {
        #[prost(string, optional, tag = "1")]
        pub(super) text: Option<String>,
        #[prost(int64, optional, tag = "3")]
        pub(super) number: Option<i64>,
    }
}

use proto::Span;

/// A collector that keeps what it gets; it ends with the tests.
struct Collector {
    address: SocketAddr,
    got: Arc<Mutex<Vec<proto::Request>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&got);
        let take = move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(&stream);
                let mut lines = reader.by_ref().lines().map(Result::unwrap);
                assert_eq!(lines.next().unwrap(), "POST /v1/traces HTTP/1.1");
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let length = head.iter().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
                });
                let mut body = vec![0; length.unwrap().unwrap()];
                reader.read_exact(&mut body).unwrap();
                keeps.lock().unwrap().push(proto::Request::decode(&*body).unwrap());
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\n";
                write!(stream, "{head}content-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            }
        };
        std::thread::Builder::new().name("collector".to_owned()).spawn(take).unwrap();
        Self { address, got }
    }

    /// The spans that came, and the name of the program that they are of.
    fn spans(&self) -> (Vec<Span>, BTreeSet<String>) {
        let got = self.got.lock().unwrap();
        let all = || got.iter().flat_map(|request| &request.resources);
        let named = all().flat_map(|of| &of.resource.as_ref().unwrap().attributes);
        let names = named.filter(|attribute| attribute.key == "service.name").map(text).collect();
        let spans = all().flat_map(|of| &of.scopes).flat_map(|scope| scope.spans.clone());
        (spans.collect(), names)
    }
}

fn text(attribute: &proto::KeyValue) -> String {
    attribute.value.as_ref().unwrap().text.clone().unwrap()
}

fn number(span: &Span, key: &str) -> Option<i64> {
    span.attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.number
}

const RUN: &str = "localnet --neuron.model_id fake --seed 7 --localnet.miners echo,phrase,dead \
                   --steps 3 --journal j.jsonl";

#[test]
fn a_conversation_is_one_trace_with_a_span_for_each_stage_and_no_text() {
    let collector = Collector::start();
    let place =
        Place::new().with("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", collector.address));
    place.run(RUN).expect(0);
    let (spans, names) = collector.spans();
    assert_eq!(names, BTreeSet::from(["sn1".to_owned()]));

    let mut traces: BTreeMap<Vec<u8>, Vec<Span>> = BTreeMap::new();
    for span in spans {
        assert!(span.events.is_empty() && span.start <= span.end, "{span:?}");
        for attribute in &span.attributes {
            match attribute.key.as_str() {
                "task" | "ended" => assert!(text(attribute).len() < 20, "{attribute:?}"),
                _ => assert!(number(&span, &attribute.key).is_some(), "{attribute:?}"),
            }
        }
        traces.entry(span.trace.clone()).or_default().push(span);
    }
    let journal = place.lines("j.jsonl");
    let of = |event: &str, id: i64| -> Vec<&Value> {
        let is = |line: &&Value| line["event"] == event && line["conversation"] == id;
        journal.iter().filter(is).collect()
    };
    let ended = journal.iter().filter(|line| line["event"] == "conversation_ended");
    let ended: BTreeSet<_> = ended.map(|line| line["conversation"].as_i64().unwrap()).collect();
    let (mut traced, mut stages) = (BTreeSet::new(), BTreeSet::new());
    for spans in traces.values() {
        let by_id: BTreeMap<_, _> = spans.iter().map(|span| (&span.id, span)).collect();
        let mut roots = spans.iter().filter(|span| span.parent.is_empty());
        let (root, None) = (roots.next().unwrap(), roots.next()) else { panic!("two roots") };
        assert_eq!(root.name, "conversation");
        let id = number(root, "id").unwrap();
        assert!(traced.insert(id), "conversation {id} has two traces");
        // Every parent came too, and the root is the only one without.
        assert!(spans.iter().all(|span| span == root || by_id.contains_key(&span.parent)));

        let named = |name: &'static str| spans.iter().filter(move |span| span.name == name);
        let turns = of("step", id).len();
        for (stage, times) in
            [("task", 1), ("challenge", 1), ("round", turns), ("score", turns), ("decide", turns)]
        {
            assert_eq!(named(stage).count(), times, "{stage} of conversation {id}");
        }
        assert!(named("fetch").count() >= 1);
        stages.extend(spans.iter().map(|span| span.name.as_str()));
        let mut asked: Vec<_> = named("query")
            .map(|query| {
                assert_eq!(by_id[&query.parent].name, "round");
                (number(query, "uid").unwrap(), number(query, "status").unwrap())
            })
            .collect();
        asked.sort_unstable();
        let mut journaled: Vec<_> = of("step", id)
            .into_iter()
            .flat_map(|step| {
                let list = |key: &str| step[key].as_array().unwrap().clone();
                let numbers = |key| list(key).into_iter().map(|value| value.as_i64().unwrap());
                numbers("uids").zip(numbers("status_codes"))
            })
            .collect();
        journaled.sort_unstable();
        assert_eq!(asked, journaled, "conversation {id}");
    }
    assert_eq!(traced, ended);
    // Not every kind of task needs these.
    assert!(["generate", "embed", "reference"].iter().all(|stage| stages.contains(stage)));
}

#[test]
fn traces_that_the_environment_switches_off_are_not_sent() {
    for (name, value) in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
        let collector = Collector::start();
        let endpoint = format!("http://{}", collector.address);
        let place = Place::new().with("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).with(name, value);
        place.run(RUN).expect(0);
        assert!(collector.spans().0.is_empty(), "{name}={value}");
    }
}

#[test]
fn a_collector_that_is_not_there_is_told_once_and_costs_nothing() {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let place = Place::new()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", nowhere)
        // Milliseconds between two batches.
        .with("OTEL_BSP_SCHEDULE_DELAY", "50");
    let ended = place.run(RUN).expect(0);
    assert_eq!(ended.err.matches("collector").count(), 1, "{}", ended.err);
}
