//! Who sends what to whom, as data, so that a test can prove that nobody waits in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use actix::Message;

use super::gauge::{Gauge, PortCounts};
use super::port::Port;

/// How a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// The sender waits for the answer.
    Ask,
    /// The sender waits for a free slot only.
    Push,
}

/// One actor's use of one port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// `actor.Message`.
    pub port: String,
    /// How.
    pub verb: Verb,
    /// The port's slots.
    pub capacity: usize,
}

/// A way in which the graph could come to a standstill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// Actors wait for each other's answers in a circle.
    #[error("asks go in a circle through `{0}`")]
    AskCycle(String),
    /// A port on a circle of pushes is too small for all that can be under way.
    #[error("port `{port}` has {capacity} slots on a circle of pushes that needs {needed}")]
    NarrowPort {
        /// Which port.
        port: String,
        /// Its slots.
        capacity: usize,
        /// How many it needs.
        needed: usize,
    },
}

/// The edges of a process, collected while it is wired.
#[derive(Default)]
pub struct Topology {
    edges: BTreeSet<Edge>,
    gauges: BTreeMap<String, Arc<Gauge>>,
}

/// One port, and how it is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortStatus {
    /// `actor.Message`.
    pub port: String,
    /// Who sends, in order of name.
    pub from: Vec<String>,
    /// Who receives.
    pub to: String,
    /// How; a port that some push into and others ask through counts as asked.
    pub verb: Verb,
    /// Its slots.
    pub capacity: usize,
    /// What it counted.
    pub counts: PortCounts,
}

impl Topology {
    /// Lets `from` ask through a port.
    pub fn ask<M>(&mut self, from: &str, port: &Port<M>) -> Port<M>
    where
        M: Message + Send + 'static,
        M::Result: Send,
    {
        self.edge(from, port, Verb::Ask)
    }

    /// Lets `from` push into a port.
    pub fn push<M>(&mut self, from: &str, port: &Port<M>) -> Port<M>
    where
        M: Message + Send + 'static,
        M::Result: Send,
    {
        self.edge(from, port, Verb::Push)
    }

    fn edge<M>(&mut self, from: &str, port: &Port<M>, verb: Verb) -> Port<M>
    where
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let gauge = port.gauge();
        self.gauges.insert(gauge.name.clone(), Arc::clone(gauge));
        self.edges.insert(Edge {
            from: from.to_owned(),
            to: gauge.actor.clone(),
            port: gauge.name.clone(),
            verb,
            capacity: gauge.capacity,
        });
        port.clone()
    }

    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter()
    }

    /// The most slots that were ever in use, by port.
    #[must_use]
    pub fn peaks(&self) -> BTreeMap<String, usize> {
        self.gauges.iter().map(|(name, gauge)| (name.clone(), gauge.peak())).collect()
    }

    /// The ports that have slots in use, with how many.
    #[must_use]
    pub fn in_use(&self) -> BTreeMap<String, usize> {
        let all = self.gauges.iter().map(|(name, gauge)| (name.clone(), gauge.in_use()));
        all.filter(|(_, used)| *used > 0).collect()
    }

    /// Every port, and how it is doing now.
    #[must_use]
    pub fn ports(&self) -> Vec<PortStatus> {
        self.gauges.values().map(|gauge| self.status(gauge)).collect()
    }

    fn status(&self, gauge: &Gauge) -> PortStatus {
        let into = || self.edges.iter().filter(|edge| edge.port == gauge.name);
        let asked = into().any(|edge| edge.verb == Verb::Ask);
        PortStatus {
            port: gauge.name.clone(),
            from: into()
                .map(|edge| edge.from.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            to: gauge.actor.clone(),
            verb: if asked { Verb::Ask } else { Verb::Push },
            capacity: gauge.capacity,
            counts: gauge.counts(),
        }
    }

    /// Proves that asks point down, and that pushes on a circle never wait: each of their ports
    /// holds `in_flight` messages, one for every conversation.
    ///
    /// # Errors
    /// [`TopologyError`] naming the place.
    pub fn check(&self, in_flight: usize) -> Result<(), TopologyError> {
        let asks = |edge: &&Edge| edge.verb == Verb::Ask;
        for edge in self.edges.iter().filter(asks) {
            if self.reaches(&edge.to, &edge.from, Some(Verb::Ask)) {
                return Err(TopologyError::AskCycle(edge.port.clone()));
            }
        }
        for edge in self.edges.iter().filter(|edge| edge.verb == Verb::Push) {
            if self.reaches(&edge.to, &edge.from, None) && edge.capacity < in_flight {
                return Err(TopologyError::NarrowPort {
                    port: edge.port.clone(),
                    capacity: edge.capacity,
                    needed: in_flight,
                });
            }
        }
        Ok(())
    }

    fn reaches(&self, from: &str, to: &str, verb: Option<Verb>) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if node == to {
                return true;
            }
            if seen.insert(node) {
                let leaving = self.edges.iter().filter(|edge| edge.from == node);
                let followed = leaving.filter(|edge| verb.is_none_or(|verb| edge.verb == verb));
                open.extend(followed.map(|edge| edge.to.as_str()));
            }
        }
        false
    }

    /// The graph in Graphviz's language: asks dashed, pushes solid.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut dot = String::from("digraph sn1 {\n");
        for edge in &self.edges {
            let style = if edge.verb == Verb::Ask { "dashed" } else { "solid" };
            let label = edge.port.rsplit('.').next().unwrap_or_default();
            let _ = writeln!(
                dot,
                "  \"{}\" -> \"{}\" [label=\"{label} ({})\", style={style}];",
                edge.from, edge.to, edge.capacity
            );
        }
        dot.push_str("}\n");
        dot
    }
}
