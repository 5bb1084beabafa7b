//! `sn1 register`: buys a hotkey a slot on a subnet.

use std::time::Duration;

use clap::{ArgMatches, Command, value_parser};

use super::chain::Node;
use super::{consent, flag, loaded, output};
use crate::chain::node::{neuron, registration};
use crate::config::{Loaded, Role, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::wallet::{
    KeyKind, Passwords, WalletError, WalletFolder, development_key, open, state as key_state,
};
use crate::wire::{Keypair, ss58};
use crate::wiring::joining::Joining;

/// A registration's era is 16 blocks of 12 seconds, and finality takes a few blocks more.
const PATIENCE: Duration = Duration::from_secs(300);
const RAO_PER_TAO: f64 = 1e9;

pub(super) fn command() -> Command {
    let most = flag("max-burn", "TAO")
        .value_parser(value_parser!(f64))
        .help("do not register for more; without it, for what is shown when it asks");
    let uri = flag("uri", "URI")
        .requires("hotkey")
        .help("pay with a development key, for example //Alice, not the wallet's coldkey");
    let hotkey = flag("hotkey", "SS58")
        .help("the hotkey to register, not the wallet's; with --uri also a path as //Alice//hot");
    let command = Command::new("register")
        .about("Register a hotkey on a subnet, for TAO that is burned")
        .after_help(
            "Examples:\n  sn1 register --netuid 61 --subtensor.network test --wallet.name alice \
             --max-burn 0.5\n  sn1 register --netuid 1 --subtensor.network local --uri //Alice \
             --hotkey //Alice//hot --yes\n\n\
             Shows what it costs and what the coldkey has, asks, then signs with the coldkey, whose \
             password is asked for as by `sn1 wallet`.",
        )
        .args([most, uri, hotkey, consent::yes_flag()]);
    // The subnet's number is a key without a section.
    add_flags_of(command, &["", "subtensor", "wallet"])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let loaded = loaded(Role::Validator, matches)?;
    let Joining { netuid, endpoints } = Joining::of(&loaded.settings, "register")?;
    let parties = Parties::read(matches, &loaded)?;
    let most = matches.get_one::<f64>("max-burn").copied().map(rao).transpose()?;
    let node = Node::connect(&endpoints).await?;
    let at = node.told(node.session.now().await)?;
    let hotkey = parties.hotkey;
    let address = ss58::encode(&hotkey);
    let uid = neuron::uid(&node.session, &at, netuid, hotkey).await;
    if let Some(uid) = node.told(uid)? {
        output::line(&format!(
            "{address} is uid {uid} of subnet {netuid} already; nothing was sent"
        ))?;
        return Ok(Exit::Done);
    }
    let cost = node.told(registration::cost(&node.session, &at, netuid).await)?;
    let payer = parties.payer();
    let balance = node.told(registration::balance(&node.session, &at, payer).await)?;
    output::line(&format!(
        "subnet   {netuid} at {}\nhotkey   {address}\ncoldkey  {}\ncost     {}\nbalance  {}",
        node.session.endpoint(),
        ss58::encode(&payer),
        tao(cost),
        tao(balance)
    ))?;
    if let Some(most) = most.filter(|most| cost > *most) {
        let message = format!("it costs {}, more than --max-burn {}", tao(cost), tao(most));
        return Err(Ended::new(Exit::Failed, message).into());
    }
    if balance <= cost {
        let message = "the coldkey has too little TAO: transfer some to it";
        return Err(Ended::new(Exit::Failed, message).into());
    }
    let bounded = registration::is_bounded(&at);
    if !bounded {
        output::line(
            "limit    none by the chain: its runtime takes whatever the price is in that block",
        )?;
    }
    let or_more = if bounded { "" } else { ", or whatever it costs by then," };
    let question = format!("Burn {}{or_more} to register {address}?", tao(cost));
    if !consent::given(matches, &question).await? {
        return Err(Ended::new(Exit::Failed, "nothing was sent").into());
    }
    let most = most.unwrap_or(cost);
    let coldkey = parties.coldkey().await?;
    // Both a person and a password take their time, and the price moves with every block.
    let at = node.told(node.session.now().await)?;
    let cost = node.told(registration::cost(&node.session, &at, netuid).await)?;
    if cost > most {
        let (cost, most) = (tao(cost), tao(most));
        let message = format!("nothing was sent: it costs {cost} by now, more than {most}");
        return Err(Ended::new(Exit::Failed, message).into());
    }
    let registered =
        registration::register(&node.session, &coldkey, hotkey, netuid, most, PATIENCE);
    let block = registered.await.map_err(consent::ended)?;
    let at = node.told(node.session.now().await)?;
    let uid = node.told(neuron::uid(&node.session, &at, netuid, hotkey).await)?;
    let uid = uid.map_or("no uid any more".to_owned(), |uid| format!("uid {uid}"));
    output::line(&format!("registered in block {}: {uid}", block.0))?;
    Ok(Exit::Done)
}

fn decoded(address: &str) -> Result<[u8; 32], Ended> {
    ss58::decode(address).map_err(|error| Ended::new(Exit::Usage, format!("{address}: {error}")))
}

/// Who pays, and for whom.
struct Parties {
    hotkey: [u8; 32],
    coldkey: Coldkey,
}

enum Coldkey {
    /// A development key.
    Open(Box<Keypair>),
    /// In the wallet; opened when it is to sign.
    InWallet { public: [u8; 32], folder: WalletFolder, passwords: Passwords },
}

impl Parties {
    fn read(matches: &ArgMatches, loaded: &Loaded) -> anyhow::Result<Self> {
        let wallet = &loaded.settings.wallet;
        let folder = WalletFolder::new(wallet).map_err(Ended::from)?;
        let uri = matches.get_one::<String>("uri");
        let hotkey = match matches.get_one::<String>("hotkey") {
            Some(path) if uri.is_some() && path.starts_with('/') => {
                development_key(loaded, path).map_err(Ended::from)?.public()
            }
            Some(address) => decoded(address)?,
            None => public(&folder, KeyKind::Hotkey)?,
        };
        let coldkey = match uri {
            Some(uri) => {
                Coldkey::Open(Box::new(development_key(loaded, uri).map_err(Ended::from)?))
            }
            None => {
                let public = public(&folder, KeyKind::Coldkey)?;
                let passwords = Passwords::from_process(wallet);
                Coldkey::InWallet { public, folder, passwords }
            }
        };
        Ok(Self { hotkey, coldkey })
    }

    fn payer(&self) -> [u8; 32] {
        match &self.coldkey {
            Coldkey::Open(key) => key.public(),
            Coldkey::InWallet { public, .. } => *public,
        }
    }

    /// The key that signs; a password is asked for on a thread of its own.
    async fn coldkey(self) -> Result<Keypair, Ended> {
        match self.coldkey {
            Coldkey::Open(key) => Ok(*key),
            Coldkey::InWallet { folder, passwords, .. } => {
                let task = move || open(&folder, KeyKind::Coldkey, &passwords);
                let opened = tokio::task::spawn_blocking(task).await;
                opened.unwrap_or(Err(WalletError::CutOff)).map_err(Ended::from)
            }
        }
    }
}

/// A key's address, from the files that need no password.
fn public(folder: &WalletFolder, kind: KeyKind) -> Result<[u8; 32], Ended> {
    let state = key_state(folder, kind);
    match (state.address, state.problem) {
        (Some(address), _) => decoded(&address),
        (None, Some(problem)) => Err(problem.into()),
        (None, None) => Err(folder.missing(kind).into()),
    }
}

fn tao(rao: u64) -> String {
    format!("{:.9} TAO", rao as f64 / RAO_PER_TAO)
}

fn rao(tao: f64) -> Result<u64, Ended> {
    let rao = tao * RAO_PER_TAO;
    if !rao.is_finite() || rao < 0.0 {
        return Err(Ended::new(Exit::Usage, format!("--max-burn {tao}: give an amount of TAO")));
    }
    Ok(rao.round() as u64)
}
