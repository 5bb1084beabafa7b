//! Language models on other machines: the servers that the settings name in place of the engine of
//! this machine, and the one that an `openai` miner asks.

use std::sync::Arc;

use sn1_actors::ports::Clock;

use crate::config::{Engine, OpenAi, Settings};
use crate::engine::{ApiKey, RemoteEngine, RemoteOptions};
use crate::exit::{Ended, Exit};

/// The engine for the servers that the settings name; `None` where the model runs on this machine.
/// No connection is opened yet: [`RemoteEngine::check`] does so, and [`RemoteEngine::watch`] keeps
/// an eye on the servers.
///
/// # Errors
/// If an address is of no use, or the variable that should hold the key does not.
pub fn remote(
    settings: &Settings,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Option<Arc<RemoteEngine>>> {
    options(&settings.engine, variable)?.map(|options| engine(options, clock)).transpose()
}

/// The engine for the server that `openai.*` names, which is checked and watched as others are.
///
/// # Errors
/// If its address is of no use, or the variable that should hold the key does not.
pub fn openai(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<RemoteEngine>> {
    engine(openai_options(&settings.openai, settings.axon.max_workers, variable)?, clock)
}

fn engine(options: RemoteOptions, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<RemoteEngine>> {
    let engine = RemoteEngine::new(options, clock);
    Ok(Arc::new(engine.map_err(|error| Ended::new(Exit::Usage, error))?))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The options that an `openai` miner's settings mean.
fn openai_options(
    openai: &OpenAi,
    in_flight: usize,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<RemoteOptions> {
    Ok(RemoteOptions {
        servers: vec![openai.base_url.clone()],
        model: openai.model_name.clone(),
        in_flight,
        api_key: Some(key("openai.key_env", &openai.key_env, variable)?),
        ..RemoteOptions::default()
    })
}

/// The key that is in a variable of the environment.
fn key(
    setting: &str,
    name: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<ApiKey> {
    let key = variable(name).filter(|key| !key.trim().is_empty()).ok_or_else(|| {
        let unset = format!("which {setting} names, is not set");
        Ended::new(Exit::Usage, format!("the environment variable {name}, {unset}"))
    })?;
    Ok(ApiKey::new(name, &key).map_err(|error| Ended::new(Exit::Usage, error))?)
}

/// The options that the settings mean; `variable` reads the environment.
fn options(
    engine: &Engine,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<RemoteOptions>> {
    if engine.servers.is_empty() {
        return Ok(None);
    }
    let api_key = match &engine.server_key_env {
        None => None,
        Some(name) => Some(key("engine.server_key_env", name, variable)?),
    };
    Ok(Some(RemoteOptions {
        servers: engine.servers.clone(),
        model: engine.server_model.clone().unwrap_or_default(),
        in_flight: engine.server_in_flight,
        api_key,
        ..RemoteOptions::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, Role};

    fn engine(key: Option<&str>) -> Engine {
        let defaults = Settings::load(Role::Localnet, &Inputs::default()).unwrap().settings;
        Engine {
            servers: vec!["http://a:1".into()],
            server_model: Some("m".into()),
            server_in_flight: 3,
            server_key_env: key.map(Into::into),
            ..defaults.engine
        }
    }

    #[test]
    fn is_the_engine_of_this_machine_without_servers() {
        let engine = Engine { servers: Vec::new(), ..engine(Some("UNSET")) };
        assert!(options(&engine, |_| None).unwrap().is_none());
    }

    #[test]
    fn takes_the_key_from_the_named_variable() {
        let read = |name: &str| (name == "KEY").then(|| "sk-1".to_owned());
        let options = options(&engine(Some("KEY")), read).unwrap().unwrap();
        assert_eq!((options.model.as_str(), options.in_flight), ("m", 3));
        assert!(options.api_key.is_some() && !format!("{options:?}").contains("sk-1"));
        assert!(super::options(&engine(None), read).unwrap().unwrap().api_key.is_none());
    }

    #[test]
    fn an_openai_miner_asks_the_server_it_is_told_with_its_own_key() {
        let openai = OpenAi {
            model_name: "m".into(),
            base_url: "http://a:1".into(),
            key_env: "KEY".into(),
            daily_tokens: 1,
        };
        let options = openai_options(&openai, 3, |_| Some("sk-1".to_owned())).unwrap();
        assert_eq!((options.servers, options.model), (vec!["http://a:1".into()], "m".into()));
        assert!(options.in_flight == 3 && options.api_key.is_some());
        let error = openai_options(&openai, 3, |_| None).unwrap_err().to_string();
        assert!(error.contains("variable KEY, which openai.key_env names, is not set"), "{error}");
    }

    #[test]
    fn says_which_variable_holds_no_key() {
        for value in [None, Some(" ".to_owned()), Some("a\u{0}b".to_owned())] {
            let error = options(&engine(Some("KEY")), |_| value.clone()).unwrap_err();
            assert!(error.to_string().contains("variable KEY"), "{error}");
        }
    }
}
