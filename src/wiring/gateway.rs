//! The gateway of a validator: its keys, its server, and the way from there to the miners.

mod reader;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::{Hotkey, Netuid};
use sn1_actors::organic::{AskMiners, SLACK, ask_miners};
use sn1_actors::ports::Clock;
use sn1_actors::runtime::{Fault, FaultKind, Overseer, Port};

use super::state_folder;
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::gateway::keys::KeyRing;
use crate::gateway::{
    Door, GatewayError, GatewayOptions, GatewayParts, GatewayServer, ModelReader,
};
use crate::running_server::ServerStopper;
use crate::wire::UuidSource;

pub use self::reader::model_reader;

/// Where the gateway of a validator keeps its keys.
#[must_use]
pub fn folder(settings: &Settings, netuid: Netuid, hotkey: &Hotkey) -> PathBuf {
    state_folder(settings, netuid, hotkey).join("gateway")
}

/// A gateway that has its port and its keys, and lets nobody in yet.
pub struct Gateway {
    server: GatewayServer,
    keys: KeyRing,
}

impl Gateway {
    /// Listens and reads the keys of `folder`, before the minutes that a model takes to load. None
    /// where the settings want no gateway.
    ///
    /// # Errors
    /// If the address cannot be listened on, or the keys cannot be read.
    pub fn open(
        settings: &Settings,
        folder: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, Ended> {
        if !settings.gateway.enabled {
            return Ok(None);
        }
        let keys = KeyRing::open(folder, clock).map_err(|error| Ended::new(Exit::File, error))?;
        let address = SocketAddr::from((settings.gateway.ip, settings.gateway.port));
        let server = GatewayServer::bind(address).map_err(|error| ended(&error))?;
        Ok(Some(Self { server, keys }))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What users are given as the base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address())
    }

    /// How many keys are in use.
    #[must_use]
    pub fn keys_in_use(&self) -> usize {
        self.keys.in_use()
    }

    /// Lets users in, whose queries go to `organic`.
    ///
    /// # Errors
    /// If the settings are wrong, or the server cannot start.
    pub fn serve(
        self,
        overseer: &Overseer,
        settings: &Settings,
        netuid: Netuid,
        organic: Port<AskMiners>,
        reader: ModelReader,
    ) -> Result<ServerStopper, Ended> {
        let Self { server, keys } = self;
        let timeout = settings.neuron.timeout;
        let parts = GatewayParts {
            door: door(organic, timeout),
            keys: keys.clone(),
            model: format!("sn{netuid}"),
            reader,
            clock: overseer.clock(),
            uuids: Arc::new(UuidSource::from_entropy()),
        };
        let running = server.run(parts, options(settings)).map_err(|error| ended(&error))?;
        let stopper = running.stopper();
        overseer.tasks().spawn("gateway_usage", keys.keep_usage(overseer.tasks().clone()));
        let kill = overseer.kill().clone();
        overseer.tasks().spawn("gateway", async move {
            // Users must not be left with a validator that only seems to serve them.
            if let Err(error) = running.serve().await {
                let (kind, part) = (FaultKind::GaveUp, "the gateway's HTTP server".into());
                kill.trip(Fault { kind, part, cause: error.to_string() });
            }
        });
        Ok(stopper)
    }
}

fn ended(error: &GatewayError) -> Ended {
    let exit = match error {
        GatewayError::Bind { .. } => Exit::Address,
        GatewayError::Origin(_) => Exit::Usage,
        GatewayError::Run(_) => Exit::Failed,
    };
    Ended::new(exit, error)
}

fn options(settings: &Settings) -> GatewayOptions {
    let gateway = &settings.gateway;
    GatewayOptions {
        max_body: gateway.max_body,
        // What the door itself may take.
        patience: settings.neuron.timeout.saturating_add(3 * SLACK),
        cors_origins: gateway.cors_origins.clone(),
        ..GatewayOptions::default()
    }
}

fn door(organic: Port<AskMiners>, timeout: Duration) -> Door {
    Arc::new(move |query| {
        let organic = organic.clone();
        Box::pin(async move { ask_miners(&organic, query, timeout).await })
    })
}
