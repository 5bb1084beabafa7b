//! The chain's nodes, what their runtime has of what is needed, and what the chain knows of the neuron.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use sn1_actors::domain::{BlockNumber, Netuid};

use super::{Case, Finding, clock, neuron};
use crate::chain::node::calls::Calls;
use crate::chain::node::endpoint::Endpoints;
use crate::chain::node::failure::Failure;
use crate::chain::node::probe;
use crate::chain::node::rules;
use crate::chain::node::session::{At, Session};
use crate::chain::node::weights::{TIMELOCK_VERSION, Taking};
use crate::wiring::joining::Joining;

const CHAIN: &str = "chain";
const RUNTIME: &str = "runtime";
/// How long a node is waited for.
const PATIENCE: Duration = Duration::from_secs(6);
/// A node whose answers take longer loses races with blocks.
const SLOW: Duration = Duration::from_secs(2);

/// What came of one address.
struct Visited {
    /// Its place among the addresses.
    place: usize,
    url: String,
    answered: Result<Answered, Failure>,
}

struct Answered {
    session: Session,
    took: Duration,
}

pub(super) async fn look(case: &Case) -> Vec<Finding> {
    let Some(joining) = case.joining.as_ref().filter(|_| !case.offline) else {
        return Vec::new();
    };
    let mut opening: FuturesUnordered<_> =
        joining.endpoints.urls().iter().enumerate().map(|node| open(case, node)).collect();
    // What another chain knows of the hotkey is nobody's business.
    let is_right = |visit: &Visited| {
        let answered = visit.answered.as_ref();
        answered.is_ok_and(|it| !joining.endpoints.is_another_chain(it.session.genesis().0))
    };
    // The first that answers is asked while the others are still waited for.
    let mut visited = Vec::new();
    while let Some(visit) = opening.next().await {
        let found = is_right(&visit);
        visited.push(visit);
        if found {
            break;
        }
    }
    let others = opening.collect::<Vec<_>>();
    let told = async {
        let first = visited.last().filter(|visit| is_right(visit));
        match first.map(|visit| &visit.answered) {
            Some(Ok(first)) => ask(case, joining, &first.session).await,
            Some(Err(_)) | None => Vec::new(),
        }
    };
    let (others, told) = tokio::join!(others, told);
    visited.extend(others);
    visited.sort_by_key(|visit| visit.place);
    let mut findings = of_nodes(&joining.endpoints, &visited);
    findings.extend(told);
    findings
}

async fn open(case: &Case, (place, url): (usize, &String)) -> Visited {
    let answered = async {
        let session = Session::open(url, PATIENCE).await?;
        let began = case.clock.now();
        session.block_hash(BlockNumber(0)).await?;
        Ok(Answered { took: case.clock.now().since(began), session })
    };
    Visited { place, url: url.clone(), answered: answered.await }
}

fn of_nodes(endpoints: &Endpoints, visited: &[Visited]) -> Vec<Finding> {
    let alive = visited.iter().any(|visit| visit.answered.is_ok());
    let answered = visited.iter().filter_map(|visit| visit.answered.as_ref().ok());
    let mut found = answered.map(|answered| answered.session.genesis());
    // A node of another chain does not make the others wrong.
    let first = found.find(|genesis| !endpoints.is_another_chain(genesis.0));
    let cure = "check it with `sn1 chain probe`, or set subtensor.chain_endpoint to others";
    let of_node = |Visited { url, answered, .. }: &Visited| {
        let Answered { session, took } = match answered {
            Ok(answered) => answered,
            Err(failure) => {
                let finding = Finding::failing(CHAIN, format!("{url}: {failure}"), cure);
                return if alive { finding.or_warning() } else { finding };
            }
        };
        let genesis = session.genesis();
        if endpoints.is_another_chain(genesis.0) || first != Some(genesis) {
            let network = endpoints.network();
            let seen =
                format!("{url} has another chain than {network}: it begins with {genesis:?}");
            return Finding::failing(CHAIN, seen, "set subtensor.network to what the node has");
        }
        let seen = format!("{url} answers in {} ms", took.as_millis());
        if *took > SLOW { Finding::warning(CHAIN, seen, cure) } else { Finding::ok(CHAIN, seen) }
    };
    visited.iter().map(of_node).collect()
}

/// What the chain itself tells.
async fn ask(case: &Case, joining: &Joining, session: &Session) -> Vec<Finding> {
    let state = case.bounded(CHAIN, super::PATIENCE, of_state(case, joining, session));
    let (time, state) = tokio::join!(clock::look(case, session), state);
    let state = state.unwrap_or_else(|late| vec![late]);
    std::iter::once(time).chain(state).collect()
}

/// What the chain's newest state tells.
async fn of_state(case: &Case, joining: &Joining, session: &Session) -> Vec<Finding> {
    let at = match session.now().await {
        Ok(at) => at,
        Err(failure) => return vec![unanswered(&failure)],
    };
    let (runtime, neuron) = tokio::join!(
        runtime(session, &at, joining.netuid),
        neuron::look(case, joining, session, &at)
    );
    runtime.into_iter().chain(neuron).collect()
}

pub(super) fn unanswered(failure: &Failure) -> Finding {
    let seen = format!("the chain's state is not known: {failure}");
    Finding::warning(CHAIN, seen, "try again, or set another subtensor.chain_endpoint")
}

/// What the runtime lacks of what is needed, and how the subnet takes weights by it.
async fn runtime(session: &Session, at: &At, netuid: Netuid) -> Vec<Finding> {
    let spec = at.spec_version();
    let lacking = probe::lacking(at.metadata_ref());
    let update = "update sn1; `sn1 chain probe` lists what this runtime has";
    if !lacking.is_empty() {
        let seen = format!("the runtime (spec {spec}) has no {}", lacking.join(", "));
        return vec![Finding::failing(RUNTIME, seen, update)];
    }
    let rules = match rules::read_at(session, at, netuid).await {
        Ok(rules) => rules.commit_reveal,
        Err(failure) => return vec![unanswered(&failure)],
    };
    let way = match Taking::of(&Calls::of(at), rules) {
        Some(Taking::Plain) => "in the open",
        Some(Taking::Timelocked { version, .. }) if version != TIMELOCK_VERSION => {
            let seen = format!(
                "subnet {netuid} wants weights by commit-reveal version {version}; this program \
                 makes version {TIMELOCK_VERSION}"
            );
            return vec![Finding::failing(RUNTIME, seen, update)];
        }
        Some(Taking::Timelocked { .. }) => "by timelocked commits",
        Some(Taking::Committed) => "by commits that are revealed",
        None => {
            let seen = format!(
                "subnet {netuid} takes weights in a way for which the runtime (spec {spec}) has no \
                 call that this program knows"
            );
            return vec![Finding::failing(RUNTIME, seen, update)];
        }
    };
    vec![Finding::ok(RUNTIME, format!("spec {spec} has all that is needed; weights are set {way}"))]
}
