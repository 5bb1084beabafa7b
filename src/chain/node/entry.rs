//! One item of a pallet's storage, found by its name.

use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;

use super::calls::PALLET;
use super::failure::Failure;
use super::session::{At, Session};

/// Whether the runtime has this item in subtensor's pallet.
#[must_use]
pub fn exists(at: &At, item: &str) -> bool {
    let pallet = at.metadata_ref().pallet_by_name(PALLET);
    let storage = pallet.as_ref().and_then(|pallet| pallet.storage());
    storage.is_some_and(|storage| storage.entry_by_name(item).is_some())
}

/// What subtensor's pallet has under these keys, or what the runtime takes for it where nothing is
/// there.
///
/// # Errors
/// [`Failure`]; [`Failure::Missing`] where the runtime has no such item.
pub async fn value<T: DecodeAsType>(
    session: &Session,
    at: &At,
    item: &str,
    keys: Vec<Value>,
) -> Result<Option<T>, Failure> {
    if !exists(at, item) {
        let item = format!("{PALLET}.{item}");
        return Err(Failure::Missing { spec: at.spec_version(), item });
    }
    any_value(session, at, PALLET, item, keys).await
}

/// As [`value`], of any pallet.
///
/// # Errors
/// [`Failure`].
pub async fn any_value<T: DecodeAsType>(
    session: &Session,
    at: &At,
    pallet: &str,
    item: &str,
    keys: Vec<Value>,
) -> Result<Option<T>, Failure> {
    let garbled = |cause: String| Failure::Garbled { what: format!("{pallet}.{item}"), cause };
    let address = subxt::dynamic::storage::<Vec<Value>, Value>(pallet, item);
    let entry = at.storage().entry(address).map_err(|error| garbled(error.to_string()))?;
    let found = session.bounded("an item of storage", entry.try_fetch(keys)).await?;
    let found = found.or_else(|| entry.default_value());
    let decoded = found.map(|found| found.decode_as::<T>()).transpose();
    decoded.map_err(|error| garbled(error.to_string()))
}

/// As [`value`], where the runtime always has one: a number, a flag, a list.
///
/// # Errors
/// [`Failure`].
pub async fn required<T: DecodeAsType>(
    session: &Session,
    at: &At,
    item: &str,
    keys: Vec<Value>,
) -> Result<T, Failure> {
    let found = value(session, at, item, keys).await?;
    let missing = Failure::Garbled { what: format!("{PALLET}.{item}"), cause: "no value".into() };
    found.ok_or(missing)
}
