//! The neurons of a subnet, and the weights that they set, as of one final block.
//!
//! Today's runtimes answer in one call with a typed result; older ones give their neurons as bytes
//! whose layout is nowhere said, so there the items are read from storage, many in one request.
//! Either way fields are found by their names. What does not fit together is an error, never a
//! neuron that looks half empty: the caller keeps the metagraph it has.

mod stored;
mod typed;

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use sn1_actors::domain::{
    BlockNumber, Coldkey, Hotkey, InvalidAddress, Metagraph, Netuid, Neuron, Tao, Uid,
};
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::metadata::Metadata;

use super::failure::Failure;
use super::neuron;
use super::session::{At, Session};
use super::storage::{self, Item};

/// More neurons than this in a subnet are not believed.
const MOST_NEURONS: usize = 4_096;
/// Rao in a TAO, and in a whole unit of a subnet's own coin.
const RAO: f64 = 1e9;

pub(super) use stored::{ITEMS, STAKES};
pub(super) use typed::{API, METHOD};

/// What of the metagraph the runtime has nowhere: neither in one typed answer nor in storage.
pub(super) fn lacking(metadata: &Metadata) -> Vec<String> {
    if typed::is_there(metadata) {
        return Vec::new();
    }
    let missing = ITEMS.iter().filter(|name| !storage::exists(metadata, name));
    let mut lacking: Vec<String> =
        missing.map(|name| format!("{}.{name}", storage::PALLET)).collect();
    if !STAKES.iter().any(|name| storage::exists(metadata, name)) {
        lacking.push(format!("{}.{}", storage::PALLET, STAKES.join(" or ")));
    }
    lacking
}

/// Reads the metagraph at the newest final block.
///
/// # Errors
/// As [`read_at`].
pub async fn read(session: &Session, netuid: Netuid) -> Result<Metagraph, Failure> {
    let at = session.now().await?;
    read_at(session, &at, netuid).await
}

/// Reads the metagraph as of a block (`SubnetInfoRuntimeApi.get_metagraph` where its result is
/// typed, else storage).
///
/// # Errors
/// [`Failure::Missing`] where there is no such subnet, [`Failure::Garbled`] where the answer does not
/// fit together, or the [`Failure`] of the connection.
pub async fn read_at(session: &Session, at: &At, netuid: Netuid) -> Result<Metagraph, Failure> {
    let columns = if typed::is_there(at.metadata_ref()) {
        typed::read(session, at, netuid).await?
    } else {
        stored::read(session, at, netuid).await?
    };
    columns.assemble(netuid, BlockNumber(at.block_number()))
}

/// The weights that one neuron has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetWeights {
    /// Who set them.
    pub from: Uid,
    /// For whom, and how much of the largest, which is 65535.
    pub weights: Vec<(Uid, u16)>,
}

/// Reads the weights on chain as of a block, by everyone who has set any, in order of uid
/// (`SubtensorModule.Weights`, mechanism 0).
///
/// # Errors
/// [`Failure::Garbled`] where somebody has more weights than there can be neurons, or the [`Failure`]
/// of the connection.
pub async fn weights_at(
    session: &Session,
    at: &At,
    metagraph: &Metagraph,
) -> Result<Vec<SetWeights>, Failure> {
    let uids: Vec<Uid> = metagraph.neurons.iter().map(|neuron| neuron.uid).collect();
    let item = |uid: &Uid| neuron::weights_item(metagraph.netuid, *uid);
    let items: Vec<Item> = uids.iter().map(item).collect();
    let values = storage::read(session, at, &items).await?;
    let mut all = Vec::new();
    for (place, uid) in uids.into_iter().enumerate() {
        let weights: Vec<(u16, u16)> = values.need(place)?;
        if weights.len() > MOST_NEURONS {
            return Err(garbled(format!("uid {} has {} weights", uid.0, weights.len())));
        }
        if !weights.is_empty() {
            let weights = weights.into_iter().map(|(to, weight)| (Uid(to), weight)).collect();
            all.push(SetWeights { from: uid, weights });
        }
    }
    Ok(all)
}

/// Where a neuron says that it answers, as the chain has it.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AxonInfo {
    ip: u128,
    port: u16,
    ip_type: u8,
}

impl AxonInfo {
    /// The address; none where nothing is served.
    fn address(&self) -> Option<SocketAddr> {
        let ip: IpAddr = match self.ip_type {
            4 => Ipv4Addr::from(u32::try_from(self.ip).ok()?).into(),
            6 => Ipv6Addr::from(self.ip).into(),
            _ => return None,
        };
        (self.port != 0 && !ip.is_unspecified()).then(|| SocketAddr::new(ip, self.port))
    }
}

/// What is known of all neurons, by uid. The last three may be shorter than the others: the chain
/// leaves out what was never set.
struct Columns {
    hotkeys: Vec<AccountId32>,
    coldkeys: Vec<AccountId32>,
    axons: Vec<Option<AxonInfo>>,
    stakes: Vec<u64>,
    permits: Vec<bool>,
    updates: Vec<u64>,
    incentives: Vec<u16>,
}

impl Columns {
    fn assemble(self, netuid: Netuid, block: BlockNumber) -> Result<Metagraph, Failure> {
        let n = self.hotkeys.len();
        if n > MOST_NEURONS {
            return Err(garbled(format!("{n} neurons are too many")));
        }
        for (what, len) in [
            ("coldkeys", self.coldkeys.len()),
            ("axons", self.axons.len()),
            ("stakes", self.stakes.len()),
        ] {
            if len != n {
                return Err(garbled(format!("there are {n} hotkeys and {len} {what}")));
            }
        }
        let mut seen = HashSet::new();
        let mut neurons = Vec::new();
        let each = self.hotkeys.iter().zip(&self.coldkeys).zip(&self.axons).zip(&self.stakes);
        for (uid, (((hotkey, coldkey), axon), stake)) in (0_u16..).zip(each) {
            // The key of zeros is no sign of a gap: on development chains it owns the first subnet.
            if !seen.insert(hotkey.0) {
                return Err(garbled(format!("uid {uid} has no hotkey of its own")));
            }
            let address = |wrong: InvalidAddress| garbled(wrong.to_string());
            let place = usize::from(uid);
            #[expect(clippy::cast_precision_loss, reason = "stakes are shown and compared in TAO")]
            let stake = Tao(*stake as f64 / RAO);
            neurons.push(Neuron {
                uid: Uid(uid),
                hotkey: Hotkey::parse(&hotkey.to_string()).map_err(address)?,
                coldkey: Coldkey::parse(&coldkey.to_string()).map_err(address)?,
                stake,
                validator_permit: self.permits.get(place).copied().unwrap_or(false),
                axon: axon.as_ref().and_then(AxonInfo::address),
                last_update: BlockNumber(self.updates.get(place).copied().unwrap_or(0)),
                incentive: f64::from(self.incentives.get(place).copied().unwrap_or(0))
                    / f64::from(u16::MAX),
            });
        }
        Ok(Metagraph { netuid, block, neurons })
    }
}

fn garbled(cause: String) -> Failure {
    Failure::Garbled { what: "the metagraph".to_owned(), cause }
}

fn no_subnet(at: &At, netuid: Netuid) -> Failure {
    Failure::Missing { spec: at.spec_version(), item: format!("subnet {}", netuid.0) }
}

#[cfg(test)]
mod tests;
