//! The metagraph out of storage, for runtimes without a typed call: two rounds, since most is kept
//! by hotkey.

use sn1_actors::domain::Netuid;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_value::Value;

use super::super::failure::Failure;
use super::super::session::{At, Session};
use super::super::storage::{self, Item};
use super::{AxonInfo, Columns, MOST_NEURONS, garbled, no_subnet};

/// What is read, besides the stake.
pub(in super::super) const ITEMS: &[&str] = &[
    "NetworksAdded",
    "SubnetworkN",
    "Keys",
    "Uids",
    "Owner",
    "Axons",
    "ValidatorPermit",
    "LastUpdate",
    "Incentive",
];
/// Where the stake is, newest first; in rao, or in billionths of the subnet's own coin.
pub(in super::super) const STAKES: &[&str] =
    &["TotalHotkeyAlpha", "TotalHotkeySubStake", "TotalHotkeyStake"];

/// Items of a hotkey in the second round.
const OF_HOTKEY: usize = 4;

pub(super) async fn read(session: &Session, at: &At, netuid: Netuid) -> Result<Columns, Failure> {
    let n = count(session, at, netuid).await?;
    let subnet = storage::number(netuid.0);
    let wholes = ["ValidatorPermit", "LastUpdate", "Incentive"];
    let wholes = wholes.map(|name| Item::new(name, [subnet.clone()]));
    let first = wholes.len();
    let keys = (0..n).map(|uid| Item::new("Keys", [subnet.clone(), storage::number(uid)]));
    let items: Vec<Item> = wholes.into_iter().chain(keys).collect();
    let values = storage::read(session, at, &items).await?;
    let hotkeys = (first..items.len()).map(|place| values.need(place));
    let hotkeys: Vec<AccountId32> = hotkeys.collect::<Result<_, Failure>>()?;
    let of_hotkeys = of_hotkeys(session, at, &subnet, &hotkeys).await?;
    let columns = Columns {
        permits: values.need(0)?,
        updates: values.need(1)?,
        incentives: values.need(2)?,
        coldkeys: of_hotkeys.coldkeys,
        axons: of_hotkeys.axons,
        stakes: of_hotkeys.stakes,
        hotkeys,
    };
    Ok(columns)
}

async fn count(session: &Session, at: &At, netuid: Netuid) -> Result<u16, Failure> {
    let items = ["NetworksAdded", "SubnetworkN"];
    let items = items.map(|name| Item::new(name, [storage::number(netuid.0)]));
    let values = storage::read(session, at, &items).await?;
    if !values.need::<bool>(0)? {
        return Err(no_subnet(at, netuid));
    }
    let n: u16 = values.need(1)?;
    if usize::from(n) > MOST_NEURONS {
        return Err(garbled(format!("{n} neurons are too many")));
    }
    Ok(n)
}

struct OfHotkeys {
    coldkeys: Vec<AccountId32>,
    axons: Vec<Option<AxonInfo>>,
    stakes: Vec<u64>,
}

async fn of_hotkeys(
    session: &Session,
    at: &At,
    subnet: &Value,
    hotkeys: &[AccountId32],
) -> Result<OfHotkeys, Failure> {
    let (metadata, spec) = (at.metadata_ref(), at.spec_version());
    let Some(stake) = STAKES.iter().find(|name| storage::exists(metadata, name)) else {
        return Err(Failure::Missing { spec, item: STAKES.join(" or ") });
    };
    let items: Vec<Item> = hotkeys
        .iter()
        .flat_map(|hotkey| {
            let hotkey = Value::from_bytes(hotkey.0);
            let mut stake_keys = vec![hotkey.clone()];
            if storage::key_count(metadata, stake) == 2 {
                stake_keys.push(subnet.clone());
            }
            [
                Item::new("Uids", [subnet.clone(), hotkey.clone()]),
                Item::new("Owner", [hotkey.clone()]),
                Item::new("Axons", [subnet.clone(), hotkey]),
                Item::new(stake, stake_keys),
            ]
        })
        .collect();
    let values = storage::read(session, at, &items).await?;
    let n = hotkeys.len();
    let mut of = OfHotkeys { coldkeys: Vec::new(), axons: Vec::new(), stakes: Vec::new() };
    for (place, uid) in (0..n * OF_HOTKEY).step_by(OF_HOTKEY).zip(0_u16..) {
        // What the chain reads when the hotkey signs: both ways must agree.
        if values.get::<u16>(place)? != Some(uid) {
            return Err(garbled(format!("the hotkey of uid {uid} has another uid, or none")));
        }
        of.coldkeys.push(values.need(place + 1)?);
        of.axons.push(values.get(place + 2)?);
        of.stakes.push(values.need(place + 3)?);
    }
    Ok(of)
}
