//! The language model on other machines, where the settings name its servers.

use std::sync::Arc;

use sn1_actors::ports::Clock;

use crate::config::{Engine, Settings};
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
    let read = |name: &str| std::env::var(name).ok();
    let Some(options) = options(&settings.engine, read)? else { return Ok(None) };
    let usage = |error: &dyn std::fmt::Display| Ended::new(Exit::Usage, error);
    let engine = RemoteEngine::new(options, clock).map_err(|error| usage(&error))?;
    Ok(Some(Arc::new(engine)))
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
        Some(name) => {
            let key = variable(name).filter(|key| !key.trim().is_empty()).ok_or_else(|| {
                let unset = "which engine.server_key_env names, is not set";
                Ended::new(Exit::Usage, format!("the environment variable {name}, {unset}"))
            })?;
            Some(ApiKey::new(name, &key).map_err(|error| Ended::new(Exit::Usage, error))?)
        }
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
    fn says_which_variable_holds_no_key() {
        for value in [None, Some(" ".to_owned()), Some("a\u{0}b".to_owned())] {
            let error = options(&engine(Some("KEY")), |_| value.clone()).unwrap_err();
            assert!(error.to_string().contains("variable KEY"), "{error}");
        }
    }
}
