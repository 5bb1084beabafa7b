//! How remote engines are set up.

use std::time::Duration;

use super::api_key::ApiKey;
use super::base_url::BaseUrl;
use super::breaker::BreakerPolicy;

/// Which servers are asked, for what, and how patiently. None of the times may be zero, except
/// [`RemoteOptions::patience`].
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Base addresses, `http://` or `https://`, with or without `/v1`; at least one.
    pub servers: Vec<String>,
    /// The model to ask for; empty or `auto` takes the only one that a server has.
    pub model: String,
    /// The key that is sent to every server.
    pub api_key: Option<ApiKey>,
    /// Requests at a time to one server, from 1.
    pub in_flight: usize,
    /// How long a request waits, with all its attempts together, for a server that has a free place
    /// and does not rest.
    pub patience: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a server may take to list its models.
    pub probe_timeout: Duration,
    /// How long what a server said of its models is believed, and how long one without the wanted
    /// model is left alone.
    pub probe_every: Duration,
    /// How long a server may take to the first token, its own queue included; with a server that
    /// does not stream, to the whole answer.
    pub first_token_timeout: Duration,
    /// How long it may be silent between tokens, and how long a piece of text may go untaken.
    pub idle_timeout: Duration,
    /// How long one attempt may take altogether.
    pub total_timeout: Duration,
    /// The most that is read of an answer, in bytes; shorter answers get less.
    pub max_body: usize,
    /// How long a server that says that it is busy is left alone if it names no time.
    pub usual_rest: Duration,
    /// The least and the most that it may ask for.
    pub shortest_rest: Duration,
    /// See [`RemoteOptions::shortest_rest`].
    pub longest_rest: Duration,
    /// When a server that fails is no longer asked.
    pub breaker: BreakerPolicy,
}

impl Default for RemoteOptions {
    /// No server yet; the only model that there is; times for models of up to some 70 billion
    /// parameters.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            servers: Vec::new(),
            model: String::new(),
            api_key: None,
            in_flight: 16,
            patience: seconds(20),
            connect_timeout: seconds(5),
            probe_timeout: seconds(5),
            probe_every: seconds(30),
            first_token_timeout: seconds(60),
            idle_timeout: seconds(20),
            total_timeout: seconds(600),
            max_body: 64 << 20,
            usual_rest: seconds(1),
            shortest_rest: Duration::from_millis(500),
            longest_rest: seconds(60),
            breaker: BreakerPolicy::default(),
        }
    }
}

/// Why servers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The options name no server.
    #[error("no model server is named")]
    NoneNamed,
    /// An address is of no use.
    #[error("the model server {address:?}: {problem}")]
    Address {
        /// As it was written, without what may be a password.
        address: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two addresses mean the same server.
    #[error("the model server {0} is named twice")]
    Twice(String),
    /// A number or a time is zero, or two do not go together.
    #[error("{0}")]
    Option(&'static str),
    /// The HTTP client cannot be built.
    #[error("the HTTP client for model servers cannot be built: {0}")]
    Client(String),
    /// Not one server can be used.
    #[error("no model server can be used: {0}")]
    NoServer(String),
}

impl RemoteOptions {
    /// The addresses, if all of the options make sense.
    pub(super) fn addresses(&self) -> Result<Vec<BaseUrl>, RemoteError> {
        if self.servers.is_empty() {
            return Err(RemoteError::NoneNamed);
        }
        if self.in_flight == 0 || self.in_flight > MAX_IN_FLIGHT {
            return Err(RemoteError::Option("requests in flight are from 1 to 4096 a server"));
        }
        if self.breaker.threshold == 0 {
            return Err(RemoteError::Option("a breaker's threshold is at least 1"));
        }
        if self.shortest_rest.is_zero() || self.shortest_rest > self.longest_rest {
            return Err(RemoteError::Option("the shortest rest is above 0 and below the longest"));
        }
        let mut bases: Vec<BaseUrl> = Vec::new();
        for address in &self.servers {
            let base = BaseUrl::parse(address).map_err(|problem| RemoteError::Address {
                address: address.rsplit('@').next().unwrap_or_default().to_owned(),
                problem,
            })?;
            if bases.contains(&base) {
                return Err(RemoteError::Twice(base.to_string()));
            }
            bases.push(base);
        }
        Ok(bases)
    }
}

/// The most requests in flight to one server.
const MAX_IN_FLIGHT: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(change: impl FnOnce(&mut RemoteOptions)) -> String {
        let servers = vec!["http://a:1".to_owned()];
        let mut options = RemoteOptions { servers, ..RemoteOptions::default() };
        assert!(options.addresses().is_ok());
        change(&mut options);
        options.addresses().unwrap_err().to_string()
    }

    #[test]
    fn refuses_what_makes_no_sense_and_repeats_no_password() {
        assert_eq!(problem(|options| options.servers.clear()), "no model server is named");
        assert!(problem(|options| options.in_flight = 0).contains("in flight"));
        assert!(problem(|options| options.breaker.threshold = 0).contains("threshold"));
        assert!(problem(|options| options.shortest_rest = Duration::MAX).contains("rest"));
        let twice = problem(|options| options.servers.push("http://a:1/v1/".into()));
        assert_eq!(twice, "the model server http://a:1 is named twice");
        let password = problem(|options| options.servers.push("http://u:secret@b".into()));
        assert!(password.contains("\"b\"") && !password.contains("secret"), "{password}");
    }
}
