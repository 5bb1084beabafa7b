//! Many storage items of one block in few requests.
//!
//! Keys and values are encoded and decoded by the metadata of that block, items found by their
//! names. The node is asked by `state_queryStorageAt`, which real nodes and light development nodes
//! answer alike.

use std::collections::HashMap;

use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_value::Value;
use subxt::metadata::{Metadata, StorageEntryMetadata};

use super::failure::Failure;
use super::session::{At, Session};

/// The pallet that holds the subnets, and takes all our calls.
pub const PALLET: &str = "SubtensorModule";
/// Keys in one request; each is about 200 bytes of JSON.
const KEYS_A_REQUEST: usize = 512;
/// Keys in one reading; more are a mistake.
const MOST_KEYS: usize = 64 * KEYS_A_REQUEST;

/// One value in the storage of the subnets' pallet.
#[derive(Clone, Debug)]
pub struct Item {
    name: &'static str,
    keys: Vec<Value>,
}

impl Item {
    /// The value of that name for these keys.
    #[must_use]
    pub fn new(name: &'static str, keys: impl IntoIterator<Item = Value>) -> Self {
        Self { name, keys: keys.into_iter().collect() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// What was read.
pub struct Values<'at> {
    metadata: &'at Metadata,
    spec: u32,
    stored: HashMap<Vec<u8>, Option<Vec<u8>>>,
    keys: Vec<(&'static str, Vec<u8>)>,
}

/// Whether the runtime has an item.
#[must_use]
pub fn exists(metadata: &Metadata, name: &str) -> bool {
    entry(metadata, name).is_some()
}

/// How many keys an item has; none where it is one value for the whole chain.
#[must_use]
pub fn key_count(metadata: &Metadata, name: &str) -> usize {
    entry(metadata, name).map_or(0, |entry| entry.keys().len())
}

fn entry<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a StorageEntryMetadata> {
    metadata.pallet_by_name(PALLET)?.storage()?.entry_by_name(name)
}

/// Reads items as of a block.
///
/// # Errors
/// [`Failure::Missing`] where the runtime lacks one, [`Failure::Garbled`] where the node leaves one
/// out, or the [`Failure`] of the connection.
pub async fn read<'at>(
    session: &Session,
    at: &'at At,
    items: &[Item],
) -> Result<Values<'at>, Failure> {
    if items.len() > MOST_KEYS {
        let cause = format!("{} keys are too many", items.len());
        return Err(Failure::Garbled { what: "a reading".to_owned(), cause });
    }
    let keys = items.iter().map(|item| Ok((item.name, key(at, item)?)));
    let keys: Vec<(&'static str, Vec<u8>)> = keys.collect::<Result<_, Failure>>()?;
    let mut stored = HashMap::new();
    for some in keys.chunks(KEYS_A_REQUEST) {
        let (rpc, hash) = (session.rpc(), at.block_hash());
        let asked = rpc.state_query_storage_at(some.iter().map(|(_, key)| &**key), Some(hash));
        let changes = session.bounded("storage", asked).await?;
        let changes = changes.into_iter().flat_map(|set| set.changes);
        stored.extend(changes.map(|(key, value)| (key.0, value.map(|value| value.0))));
    }
    Ok(Values { metadata: at.metadata_ref(), spec: at.spec_version(), stored, keys })
}

/// Reads one item as of a block: the runtime's default where none is stored, nothing where there is
/// no default.
///
/// # Errors
/// As [`read`].
pub async fn value<T: DecodeAsType>(
    session: &Session,
    at: &At,
    name: &'static str,
    keys: Vec<Value>,
) -> Result<Option<T>, Failure> {
    read(session, at, &[Item::new(name, keys)]).await?.get(0)
}

/// As [`value`], of an item that always has a value: a number, a flag, a list.
///
/// # Errors
/// As [`read`].
pub async fn needed<T: DecodeAsType>(
    session: &Session,
    at: &At,
    name: &'static str,
    keys: Vec<Value>,
) -> Result<T, Failure> {
    read(session, at, &[Item::new(name, keys)]).await?.need(0)
}

/// As [`value`], of another pallet: its name and the item's.
///
/// # Errors
/// [`Failure`].
pub async fn elsewhere<T: DecodeAsType>(
    session: &Session,
    at: &At,
    (pallet, name): (&'static str, &'static str),
    keys: Vec<Value>,
) -> Result<Option<T>, Failure> {
    let garbled = |error: &dyn std::error::Error| Failure::Garbled {
        what: format!("{pallet}.{name}"),
        cause: super::session::cause(error),
    };
    let address = subxt::dynamic::storage::<Vec<Value>, Value>(pallet, name);
    let entry = at.storage().entry(address).map_err(|error| garbled(&error))?;
    let found = session.bounded("an item of storage", entry.try_fetch(keys)).await?;
    let found = found.or_else(|| entry.default_value());
    found.map(|found| found.decode_as::<T>()).transpose().map_err(|error| garbled(&error))
}

pub(super) fn key(at: &At, item: &Item) -> Result<Vec<u8>, Failure> {
    if !exists(at.metadata_ref(), item.name) {
        return Err(Failure::Missing { spec: at.spec_version(), item: full(item.name) });
    }
    let entry = at.storage().entry((PALLET, item.name));
    entry.and_then(|entry| entry.fetch_key(item.keys.clone())).map_err(|error| Failure::Garbled {
        what: full(item.name),
        cause: super::session::cause(&error),
    })
}

fn full(name: &str) -> String {
    format!("{PALLET}.{name}")
}

impl Values<'_> {
    /// The value of the item that was asked for at that place in the list; the runtime's default
    /// where none is stored, nothing where there is no default.
    ///
    /// # Errors
    /// [`Failure::Garbled`] where the node's answer lacks it, or it is of another type.
    pub fn get<T: DecodeAsType>(&self, at: usize) -> Result<Option<T>, Failure> {
        let Some((name, key)) = self.keys.get(at) else { return Ok(None) };
        let stored = self.stored.get(key).ok_or_else(|| Failure::Garbled {
            what: full(name),
            cause: "the node's answer lacks it".to_owned(),
        })?;
        let entry = entry(self.metadata, name);
        let entry = entry.ok_or_else(|| Failure::Missing { spec: self.spec, item: full(name) })?;
        let Some(bytes) = stored.as_deref().or_else(|| entry.default_value()) else {
            return Ok(None);
        };
        decode(self.metadata, entry.value_ty(), bytes)
            .map(Some)
            .map_err(|cause| Failure::Garbled { what: full(name), cause })
    }

    /// As [`Self::get`], of an item that always has a value.
    ///
    /// # Errors
    /// [`Failure::Garbled`] too where there is none.
    pub fn need<T: DecodeAsType>(&self, at: usize) -> Result<T, Failure> {
        let name = self.keys.get(at).map_or("an item", |(name, _)| name);
        self.get(at)?.ok_or_else(|| Failure::Garbled {
            what: full(name),
            cause: "there is no value".to_owned(),
        })
    }
}

/// A value of a type of the metadata, which takes all of the bytes.
pub(super) fn decode<T: DecodeAsType>(
    metadata: &Metadata,
    type_id: u32,
    mut bytes: &[u8],
) -> Result<T, String> {
    let value = T::decode_as_type(&mut bytes, type_id, metadata.types())
        .map_err(|error| super::session::cause(&error))?;
    if bytes.is_empty() { Ok(value) } else { Err(format!("{} bytes are left", bytes.len())) }
}

/// A number, as a key or in a call.
pub(super) fn number(number: impl Into<u128>) -> Value {
    Value::u128(number.into())
}
