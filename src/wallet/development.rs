//! Development keys: worth nothing and known to everybody, so good for tries and for nothing else.

use super::error::WalletError;
use crate::chain::node::endpoint::{PublicNetwork, public_network};
use crate::config::Loaded;
use crate::wire::Keypair;

/// The development key of a path such as `//Alice`, unless the settings ask for a public network and
/// do not allow it there (`public.allow_development_keys`).
///
/// # Errors
/// [`WalletError::DevelopmentKey`] on a public network, [`WalletError::Key`] for what is no path.
pub fn development_key(loaded: &Loaded, uri: &str) -> Result<Keypair, WalletError> {
    if let Some(PublicNetwork { key, value, place }) = public_network(loaded)
        && !loaded.settings.public.allow_development_keys
    {
        let (uri, value) = (uri.chars().take(60).collect(), value.chars().take(60).collect());
        return Err(WalletError::DevelopmentKey { uri, key, value, place });
    }
    Ok(Keypair::from_dev_uri(uri)?)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::{FlagValue, Inputs, Role, Settings};

    const NETWORK: &str = "subtensor.network";
    const ENDPOINT: &str = "subtensor.chain_endpoint";

    fn loaded(
        flags: &[(&str, &str)],
        environment: &[(&str, &str)],
        overlay: Option<PathBuf>,
    ) -> Loaded {
        let mut inputs = Inputs { home: Some("/home/u".into()), ..Inputs::default() };
        inputs.flags.values = flags
            .iter()
            .map(|(key, value)| FlagValue { key: (*key).into(), values: vec![(*value).into()] })
            .collect();
        inputs.flags.overlays.extend(overlay);
        inputs.environment =
            environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::load(Role::Miner, &inputs).unwrap()
    }

    fn refused(loaded: &Loaded) -> Option<String> {
        development_key(loaded, "//Alice").err().map(|error| error.to_string())
    }

    #[test]
    fn are_given_where_no_public_network_is_asked_for() {
        for flags in [
            &[][..],
            &[(NETWORK, "local")],
            &[(NETWORK, "local"), (ENDPOINT, "ws://127.0.0.1:9944")],
            &[(ENDPOINT, "ws://localhost:9944")],
            &[(ENDPOINT, "wss://[::1]:9944/path")],
        ] {
            assert_eq!(refused(&loaded(flags, &[], None)), None, "{flags:?}");
        }
    }

    #[test]
    fn are_refused_where_a_public_network_is_asked_for() {
        for flags in [
            &[(NETWORK, "finney")][..],
            &[(NETWORK, "test")],
            &[(NETWORK, "archive")],
            &[(NETWORK, "wss://entrypoint.example")],
            &[(ENDPOINT, "wss://entrypoint.example:443")],
            &[(ENDPOINT, "ws://10.0.0.1:9944")],
            &[(ENDPOINT, "ws://127.0.0.1:9944,wss://entrypoint.example")],
            &[(ENDPOINT, "ws://localhost.example:9944")],
            // A node of finney may well run on this machine.
            &[(NETWORK, "finney"), (ENDPOINT, "ws://127.0.0.1:9944")],
            &[(NETWORK, "local"), (ENDPOINT, "wss://entrypoint.example")],
        ] {
            let error = refused(&loaded(flags, &[], None)).unwrap();
            assert!(error.contains("known to everybody"), "{flags:?}: {error}");
            assert!(error.contains("flag --subtensor."), "{flags:?}: {error}");
        }
    }

    #[test]
    fn are_refused_whatever_layer_asks() {
        let loaded_from = loaded(&[], &[("SN1_SUBTENSOR__NETWORK", "test")], None);
        assert!(refused(&loaded_from).unwrap().contains("SN1_SUBTENSOR__NETWORK"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.toml");
        std::fs::write(&file, "[subtensor]\nnetwork = \"finney\"\n").unwrap();
        assert!(refused(&loaded(&[], &[], Some(file))).unwrap().contains("mine.toml"));
    }

    #[test]
    fn are_given_on_a_public_network_where_that_is_allowed_by_name() {
        let flags = [(NETWORK, "test"), ("public.allow_development_keys", "true")];
        assert_eq!(refused(&loaded(&flags, &[], None)), None);
    }
}
