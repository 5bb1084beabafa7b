//! What a kind of value alone does not tell: names of task kinds, miners, devices and variables,
//! addresses, and values that have to go together. It is judged on the values in effect, so a later
//! layer can mend an earlier one.

use figment::Figment;
use serde::de::DeserializeOwned;
use sn1_actors::domain::Traits;
use sn1_actors::organic::Choose;
use sn1_actors::reward_scorer::closing::CopyMode;
use sn1_actors::task_maker::TaskShare;
use sn1_actors::task_maker::tasks::{self, TaskKind};

use super::persona::{self, GoalKind};
use super::tools::is_contact;
use super::{
    DTYPES, Device, ExternalMiner, LogFormat, MinerKind, NETWORKS, PRECISIONS, SourceName,
    TaskMeasures,
};
use crate::config::keys::{KEYS, Kind, Role};
use crate::config::origin::Place;
use crate::config::problem::{Problem, ProblemKind, shown};
use crate::config::suggest;

/// Keys that name an environment variable.
const VARIABLES: [&str; 3] =
    ["engine.server_key_env", "tools.wikipedia_token_env", "tools.stackexchange_key_env"];
/// How far the probabilities may be from 1 together.
const SUM_TOLERANCE: f64 = 1e-6;
/// The longest name of a file or folder, in bytes.
const LONGEST_NAME: usize = 100;

/// Checks the merged values and returns what the task keys come to.
pub(super) fn all(
    figment: &Figment,
    role: Role,
    lists: &TaskMeasures,
    problems: &mut Vec<Problem>,
) -> Vec<TaskShare> {
    let mut check = Check { figment, problems };
    check.home(role);
    if let Some(device) = check.value::<String>("neuron.device") {
        check.device(&device);
    }
    check.name_in("engine.precision", PRECISIONS.iter().map(|(name, _)| *name));
    check.name_in("engine.dtype", DTYPES.iter().map(|(name, _)| *name));
    if let Some(kind) = check.value::<String>("miner.kind") {
        check.miner("miner.kind", &kind);
    }
    for kind in check.value::<Vec<String>>("localnet.miners").unwrap_or_default() {
        check.miner("localnet.miners", &kind);
    }
    check.name_in("logging.format", LogFormat::ALL.iter().map(|format| format.as_str()));
    check.name_in("persona.goal", GoalKind::ALL.iter().map(|goal| goal.as_str()));
    check.name_in("gateway.choose", Choose::ALL.iter().map(|way| way.name()));
    check.name_in("rewards.copies", CopyMode::ALL.iter().map(|mode| mode.name()));
    for key in persona::LISTS {
        check.traits(key);
    }
    check.external_miners();
    for key in ["blacklist.hotkeys", "blacklist.allow_hotkeys"] {
        check.hotkeys(key);
    }
    for key in ["wallet.name", "wallet.hotkey", "neuron.name"] {
        check.file_name(key);
    }
    for server in check.value::<Vec<String>>("engine.servers").unwrap_or_default() {
        check.server(&server);
    }
    for key in VARIABLES {
        if let Some(Some(variable)) = check.value::<Option<String>>(key) {
            check.variable(key, &variable);
        }
    }
    check.tools();
    if let Some(Some(network)) = check.value::<Option<String>>("subtensor.network") {
        check.network(&network);
    }
    let endpoints = check.value::<Option<Vec<String>>>("subtensor.chain_endpoint");
    for endpoint in endpoints.flatten().unwrap_or_default() {
        check.endpoint("subtensor.chain_endpoint", "ws:// or wss:// addresses", &endpoint);
    }
    match (check.value("neuron.tasks"), check.value("neuron.task_p")) {
        (Some(tasks), Some(probabilities)) => check.tasks(tasks, probabilities, lists),
        (None, _) | (_, None) => Vec::new(),
    }
}

struct Check<'a> {
    figment: &'a Figment,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    /// The value in effect, unless a layer has a wrong one: then it is not what was meant.
    fn value<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        if self.problems.iter().any(|problem| problem.kind.key() == Some(key)) {
            return None;
        }
        self.figment.extract_inner(key).ok()
    }

    fn problem(&mut self, key: &str, kind: ProblemKind) {
        self.problems.push(Problem { place: Place::of(self.figment, key), kind });
    }

    fn bad(&mut self, key: &str, expected: String, found: &str) {
        let (key, found) = (key.to_owned(), shown(found));
        self.problem(&key.clone(), ProblemKind::BadValue { key, expected, found });
    }

    /// A `~/` that is left means that there is no home folder; a folder named `~` is never meant.
    fn home(&mut self, role: Role) {
        for key in KEYS.iter().filter(|key| key.used_by(role)) {
            let paths = match key.kind {
                Kind::Path => {
                    self.value::<Option<String>>(key.name).flatten().map(|path| vec![path])
                }
                Kind::PathList => self.value::<Option<Vec<String>>>(key.name).flatten(),
                _ => None,
            };
            for path in paths.unwrap_or_default().iter().filter(|path| path.starts_with("~/")) {
                self.bad(key.name, "a path without `~/` while HOME is not set".to_owned(), path);
            }
        }
    }

    fn device(&mut self, device: &str) {
        match Device::parse(device) {
            Some(Device::Cuda(_)) if !Device::HAS_CUDA => {
                self.problem("neuron.device", ProblemKind::NoCuda { device: shown(device) });
            }
            Some(Device::Cpu | Device::Cuda(_)) => {}
            None => self.bad("neuron.device", "`cpu`, `cuda` or `cuda:N`".to_owned(), device),
        }
    }

    fn name_in(&mut self, key: &str, names: impl Iterator<Item = &'static str>) {
        let names: Vec<&str> = names.collect();
        if let Some(name) = self.value::<String>(key)
            && !names.contains(&name.as_str())
        {
            self.bad(key, format!("one of {}", names.join(", ")), &name);
        }
    }

    fn miner(&mut self, key: &str, kind: &str) {
        if MinerKind::ALL.iter().all(|known| known.as_str() != kind) {
            let names: Vec<&str> = MinerKind::ALL.iter().map(|known| known.as_str()).collect();
            self.bad(key, format!("one of {}", names.join(", ")), kind);
        }
    }

    fn traits(&mut self, key: &str) {
        if let Some(words) = self.value::<Vec<String>>(key)
            && let Err(wrong) = Traits::new(words)
        {
            self.problem(key, ProblemKind::Inconsistent(format!("`{key}`: {wrong}")));
        }
    }

    fn external_miners(&mut self) {
        let key = "localnet.external_miners";
        let given = self.value::<Option<Vec<String>>>(key).flatten().unwrap_or_default();
        let mut hotkeys = Vec::new();
        for text in given {
            match ExternalMiner::parse(&text) {
                Ok(miner) if hotkeys.contains(&miner.hotkey) => {
                    let message = format!("`{key}` names the hotkey {} twice", miner.hotkey);
                    self.problem(key, ProblemKind::Inconsistent(message));
                }
                Ok(miner) => hotkeys.push(miner.hotkey),
                Err(wrong) => {
                    let found = format!("{}, {wrong}", shown(&text));
                    let (key, expected) = (key.to_owned(), ExternalMiner::FORM.to_owned());
                    let kind = ProblemKind::BadValue { key: key.clone(), expected, found };
                    self.problem(&key, kind);
                }
            }
        }
    }

    fn hotkeys(&mut self, key: &str) {
        for text in self.value::<Option<Vec<String>>>(key).flatten().unwrap_or_default() {
            if let Err(wrong) = crate::wire::ss58::decode(&text) {
                let expected = format!("the SS58 addresses of hotkeys ({wrong})");
                self.bad(key, expected, &text);
            }
        }
    }

    fn file_name(&mut self, key: &str) {
        if let Some(name) = self.value::<String>(key)
            && !is_file_name(&name)
        {
            self.bad(key, "a name without slashes that does not begin with a dot".into(), &name);
        }
    }

    /// A name, or as in the SDK an address in its place.
    fn network(&mut self, network: &str) {
        if NETWORKS.iter().all(|(name, _)| *name != network) {
            let names: Vec<&str> = NETWORKS.iter().map(|(name, _)| *name).collect();
            let expected = format!("one of {}, or a ws:// or wss:// address", names.join(", "));
            self.endpoint("subtensor.network", &expected, network);
        }
    }

    fn endpoint(&mut self, key: &str, expected: &str, endpoint: &str) {
        let address = reqwest::Url::parse(endpoint);
        // What may be a password is not repeated.
        if address.as_ref().is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
        {
            let expected = format!("{expected} without a user or a password");
            return self.bad(key, expected, "an address with an @");
        }
        if !address.is_ok_and(|url| matches!(url.scheme(), "ws" | "wss") && url.has_host()) {
            self.bad(key, expected.to_owned(), endpoint);
        }
    }

    fn server(&mut self, server: &str) {
        let rest = server.strip_prefix("http://").or_else(|| server.strip_prefix("https://"));
        match rest {
            // What may be a password is not repeated.
            Some(rest) if rest.contains('@') => {
                let expected = "addresses without a user or a key".to_owned();
                self.bad("engine.servers", expected, "an address with an @");
            }
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') => {}
            _ => self.bad("engine.servers", "http:// or https:// addresses".to_owned(), server),
        }
    }

    fn tools(&mut self) {
        let key = "tools.sources";
        let sources = self.value::<Vec<String>>(key).unwrap_or_default();
        let names = SourceName::ALL.map(SourceName::as_str);
        for (at, source) in sources.iter().enumerate() {
            if sources.iter().take(at).any(|before| before == source) {
                let message = format!("`{key}` names {} twice", shown(source));
                self.problem(key, ProblemKind::Inconsistent(message));
            }
            if !names.contains(&source.as_str()) {
                let meant = suggest::typed(source, names.iter().copied());
                let meant = meant.map(|name| format!("; did you mean `{name}`?"));
                let found = format!("{}{}", shown(source), meant.unwrap_or_default());
                let (key, expected) = (key.to_owned(), format!("a list of {}", names.join(", ")));
                self.problem("tools.sources", ProblemKind::BadValue { key, expected, found });
            }
        }
        if let Some(Some(contact)) = self.value::<Option<String>>("tools.contact")
            && !is_contact(&contact)
        {
            self.bad("tools.contact", "a mail or web address".to_owned(), &contact);
        }
        for key in ["tools.wikipedia_api", "tools.stackexchange_api"] {
            if let Some(address) = self.value::<String>(key) {
                self.api(key, &address);
            }
        }
        let key = "tools.stackexchange_site";
        if let Some(site) = self.value::<String>(key)
            && !site.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        {
            self.bad(key, "the name of a site, as in `stackoverflow`".to_owned(), &site);
        }
    }

    fn api(&mut self, key: &str, address: &str) {
        let url = reqwest::Url::parse(address).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        match url {
            // What may be a password is not repeated.
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                let expected = "an address without a user or a password".to_owned();
                self.bad(key, expected, "an address with an @");
            }
            // Ours is put there, and what stands there may be a key.
            Some(url) if url.query().is_some() || url.fragment().is_some() => {
                let expected = "an address without a query or a fragment".to_owned();
                self.bad(key, expected, "an address with a ? or a #");
            }
            Some(_) => {}
            None => self.bad(key, "an http:// or https:// address".to_owned(), address),
        }
    }

    /// A name of an environment variable. What is none may be the secret that the variable should
    /// hold, so it is not repeated.
    fn variable(&mut self, key: &str, name: &str) {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let named =
            name.bytes().all(letter) && !name.starts_with(|first: char| first.is_ascii_digit());
        if name.is_empty() || !named {
            let expected = "the name of an environment variable, not the key itself".to_owned();
            self.bad(key, expected, "something else");
        }
    }

    fn tasks(
        &mut self,
        tasks: Vec<String>,
        probabilities: Vec<f64>,
        lists: &TaskMeasures,
    ) -> Vec<TaskShare> {
        if tasks.len() != probabilities.len() {
            let message = format!(
                "`neuron.tasks` has {} names ({}) but `neuron.task_p` {} numbers ({}); give one \
                 probability for each task",
                tasks.len(),
                Place::of(self.figment, "neuron.tasks"),
                probabilities.len(),
                Place::of(self.figment, "neuron.task_p"),
            );
            self.problem("neuron.task_p", ProblemKind::Inconsistent(message));
            return Vec::new();
        }
        let sum: f64 = probabilities.iter().sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            let message = format!("`neuron.task_p` must sum to 1, not {sum}");
            self.problem("neuron.task_p", ProblemKind::Inconsistent(message));
        }
        let mut mix = Vec::new();
        for (at, (name, probability)) in tasks.iter().zip(probabilities).enumerate() {
            if tasks.iter().take(at).any(|before| before == name) {
                let message = format!("`neuron.tasks` names {} twice", shown(name));
                self.problem("neuron.tasks", ProblemKind::Inconsistent(message));
            }
            match TaskKind::named(name) {
                Some(kind) if probability > 0.0 => {
                    mix.push(TaskShare { kind, probability, measures: lists.measures(kind) });
                }
                Some(_) => {}
                None => {
                    let known: Vec<&str> = tasks::ALL.iter().map(|kind| kind.name()).collect();
                    let expected = format!("a list of {}", known.join(", "));
                    self.bad("neuron.tasks", expected, name);
                }
            }
        }
        mix
    }
}

/// Whether a folder or file of this name lies where it is looked for, and nowhere else.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    let leads_elsewhere = |letter: char| matches!(letter, '/' | '\\') || letter.is_control();
    (1..=LONGEST_NAME).contains(&name.len())
        && !name.starts_with('.')
        && !name.contains(leads_elsewhere)
}
