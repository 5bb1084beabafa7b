//! The metadata of a runtime (version 15), as a node gives it to its clients.

use std::sync::Arc;

use frame_metadata::RuntimeMetadataPrefixed;
use frame_metadata::v15::{
    CustomMetadata, ExtrinsicMetadata, OuterEnums, PalletCallMetadata, PalletConstantMetadata,
    PalletErrorMetadata, PalletEventMetadata, PalletMetadata, PalletStorageMetadata,
    RuntimeMetadataV15, SignedExtensionMetadata, StorageEntryMetadata, StorageEntryModifier,
    StorageEntryType, StorageHasher,
};
use parity_scale_codec::Encode;
use scale_info::TypeDefPrimitive;
use scale_info::form::PortableForm;

use super::layout::{Kind, Layout, SUBTENSOR, errors};
use super::storage::{ENTRIES, Entry, KeyPart, Value};
use super::types::{Types, case, named_case};

/// A runtime: its layout, and the metadata that says so.
pub(crate) struct Runtime {
    pub(super) layout: Layout,
    pub(super) metadata: RuntimeMetadataV15,
    pub(super) bytes: Vec<u8>,
}

impl Runtime {
    pub(super) fn new(layout: Layout) -> Arc<Self> {
        let metadata = metadata(&layout);
        let bytes = RuntimeMetadataPrefixed::from(metadata.clone()).encode();
        Arc::new(Self { layout, metadata, bytes })
    }
}

/// The numbers of System's events.
pub(super) const SUCCESS: u8 = 0;
pub(super) const FAILED: u8 = 1;

/// The events of the pallet, by number.
pub(super) const EVENTS: &[&str] =
    &["WeightsSet", "AxonServed", "NeuronRegistered", "WeightsCommitted", "WeightsRevealed"];

fn kind(types: &mut Types, kind: Kind) -> u32 {
    match kind {
        Kind::U8 => types.u8(),
        Kind::U16 => types.u16(),
        Kind::U32 => types.u32(),
        Kind::U64 => types.u64(),
        Kind::U128 => types.u128(),
        Kind::U16s => {
            let item = types.u16();
            types.list(item)
        }
        Kind::Bytes => {
            let item = types.u8();
            types.list(item)
        }
        Kind::Hash => types.hash(),
        Kind::Account => types.account(),
    }
}

fn fields<'a>(types: &mut Types, of: &[(&'a str, Kind)]) -> Vec<(&'a str, u32)> {
    of.iter().map(|&(name, field)| (name, kind(types, field))).collect()
}

fn metadata(layout: &Layout) -> RuntimeMetadataV15 {
    let mut types = Types::default();
    let t = &mut types;
    let dispatch_error = dispatch_error(t);
    let (system_call, system_event, system_error) = system_enums(t, dispatch_error);
    let timestamp_call = {
        let moment = t.u64();
        let moment = t.compact(moment);
        t.variants(
            &["pallet_timestamp", "pallet", "Call"],
            vec![named_case(0, "set", &[("now", moment)])],
        )
    };
    let (call, event, error) = subtensor_enums(t, layout);
    let numbered = |name, number, ty| case(number, name, &[ty]);
    let calls = t.variants(
        &["node_subtensor_runtime", "RuntimeCall"],
        vec![
            numbered("System", 0, system_call),
            numbered("Timestamp", 2, timestamp_call),
            numbered(SUBTENSOR, layout.pallet, call),
        ],
    );
    let events = t.variants(
        &["node_subtensor_runtime", "RuntimeEvent"],
        vec![numbered("System", 0, system_event), numbered(SUBTENSOR, layout.pallet, event)],
    );
    let errors = t.variants(
        &["node_subtensor_runtime", "RuntimeError"],
        vec![numbered("System", 0, system_error), numbered(SUBTENSOR, layout.pallet, error)],
    );
    let records = event_records(t, events);
    let minimum_period = PalletConstantMetadata {
        name: "MinimumPeriod".to_owned(),
        ty: t.u64().into(),
        value: 6_000_u64.encode(),
        docs: Vec::new(),
    };
    let pallets = vec![
        pallet(
            "System",
            0,
            storage(t, layout, "System", records),
            Some(system_call),
            Some(system_event),
            Some(system_error),
            vec![],
        ),
        pallet(
            "Timestamp",
            2,
            storage(t, layout, "Timestamp", records),
            Some(timestamp_call),
            None,
            None,
            vec![minimum_period],
        ),
        pallet(
            SUBTENSOR,
            layout.pallet,
            storage(t, layout, SUBTENSOR, records),
            Some(call),
            Some(event),
            Some(error),
            vec![],
        ),
    ];
    let extrinsic = extrinsic(t, calls);
    let runtime = t.record(&["node_subtensor_runtime", "Runtime"], &[]);
    RuntimeMetadataV15 {
        types: types.finish(),
        pallets,
        extrinsic,
        ty: runtime.into(),
        apis: Vec::new(),
        outer_enums: OuterEnums {
            call_enum_ty: calls.into(),
            event_enum_ty: events.into(),
            error_enum_ty: errors.into(),
        },
        custom: CustomMetadata { map: Default::default() },
    }
}

fn pallet(
    name: &str,
    index: u8,
    storage: PalletStorageMetadata<PortableForm>,
    calls: Option<u32>,
    event: Option<u32>,
    error: Option<u32>,
    constants: Vec<PalletConstantMetadata<PortableForm>>,
) -> PalletMetadata<PortableForm> {
    PalletMetadata {
        name: name.to_owned(),
        storage: Some(storage),
        calls: calls.map(|ty| PalletCallMetadata { ty: ty.into() }),
        event: event.map(|ty| PalletEventMetadata { ty: ty.into() }),
        constants,
        error: error.map(|ty| PalletErrorMetadata { ty: ty.into() }),
        index,
        docs: Vec::new(),
    }
}

fn dispatch_error(t: &mut Types) -> u32 {
    let four = t.bytes(4);
    let index = t.u8();
    let module = t.record(&["sp_runtime", "ModuleError"], &[("index", index), ("error", four)]);
    let cases = |names: &[&str]| {
        (0_u8..).zip(names).map(|(number, name)| case(number, name, &[])).collect::<Vec<_>>()
    };
    let token = t.variants(&["sp_runtime", "TokenError"], cases(&["FundsUnavailable"]));
    let names = ["Underflow", "Overflow", "DivisionByZero"];
    let arithmetic = t.variants(&["sp_arithmetic", "ArithmeticError"], cases(&names));
    let names = ["LimitReached", "NoLayer"];
    let transactional = t.variants(&["sp_runtime", "TransactionalError"], cases(&names));
    let mut all = cases(PLAIN_ERRORS);
    all[usize::from(MODULE)] = case(MODULE, "Module", &[module]);
    all[7] = case(7, "Token", &[token]);
    all[8] = case(8, "Arithmetic", &[arithmetic]);
    all[9] = case(9, "Transactional", &[transactional]);
    t.variants(&["sp_runtime", "DispatchError"], all)
}

/// The number of the error that comes from a pallet.
pub(super) const MODULE: u8 = 3;

/// The errors that come from no pallet, by number.
pub(super) const PLAIN_ERRORS: &[&str] = &[
    "Other",
    "CannotLookup",
    "BadOrigin",
    "Module",
    "ConsumerRemaining",
    "NoProviders",
    "TooManyConsumers",
    "Token",
    "Arithmetic",
    "Transactional",
    "Exhausted",
    "Corruption",
    "Unavailable",
    "RootNotAllowed",
];

fn system_enums(t: &mut Types, dispatch_error: u32) -> (u32, u32, u32) {
    let number = t.u64();
    let number = t.compact(number);
    let weight = t.record(
        &["sp_weights", "weight_v2", "Weight"],
        &[("ref_time", number), ("proof_size", number)],
    );
    let class = t.variants(
        &["frame_support", "dispatch", "DispatchClass"],
        vec![case(0, "Normal", &[]), case(1, "Operational", &[]), case(2, "Mandatory", &[])],
    );
    let pays = t.variants(
        &["frame_support", "dispatch", "Pays"],
        vec![case(0, "Yes", &[]), case(1, "No", &[])],
    );
    let info = t.record(
        &["frame_support", "dispatch", "DispatchInfo"],
        &[("weight", weight), ("class", class), ("pays_fee", pays)],
    );
    let byte = t.u8();
    let bytes = t.list(byte);
    let call = t.variants(
        &["frame_system", "pallet", "Call"],
        vec![named_case(0, "remark", &[("remark", bytes)])],
    );
    let event = t.variants(
        &["frame_system", "pallet", "Event"],
        vec![
            named_case(SUCCESS, "ExtrinsicSuccess", &[("dispatch_info", info)]),
            named_case(
                FAILED,
                "ExtrinsicFailed",
                &[("dispatch_error", dispatch_error), ("dispatch_info", info)],
            ),
        ],
    );
    let error = t.variants(
        &["frame_system", "pallet", "Error"],
        vec![case(0, "InvalidSpecName", &[]), case(5, "CallFiltered", &[])],
    );
    (call, event, error)
}

fn subtensor_enums(t: &mut Types, layout: &Layout) -> (u32, u32, u32) {
    let calls = layout
        .calls
        .iter()
        .map(|(number, name, arguments)| named_case(*number, name, &fields(t, arguments)))
        .collect();
    let call = t.variants(&["pallet_subtensor", "pallet", "Call"], calls);
    let (netuid, uid, account, hash) = (t.u16(), t.u16(), t.account(), t.hash());
    let of = |name: &str| match name {
        "WeightsSet" => vec![netuid, uid],
        "AxonServed" => vec![netuid, account],
        "NeuronRegistered" => vec![netuid, uid, account],
        _ => vec![account, netuid, hash],
    };
    let events = (0_u8..).zip(EVENTS).map(|(number, name)| case(number, name, &of(name)));
    let event = t.variants(&["pallet_subtensor", "pallet", "Event"], events.collect());
    let errors = errors().map(|name| case(layout.error(name), name, &[])).collect();
    let error = t.variants(&["pallet_subtensor", "pallet", "Error"], errors);
    (call, event, error)
}

fn event_records(t: &mut Types, events: u32) -> u32 {
    let number = t.u32();
    let phase = t.variants(
        &["frame_system", "Phase"],
        vec![
            case(0, "ApplyExtrinsic", &[number]),
            case(1, "Finalization", &[]),
            case(2, "Initialization", &[]),
        ],
    );
    let hash = t.hash();
    let topics = t.list(hash);
    let record = t.record(
        &["frame_system", "EventRecord"],
        &[("phase", phase), ("event", events), ("topics", topics)],
    );
    t.list(record)
}

fn storage(
    t: &mut Types,
    layout: &Layout,
    pallet: &str,
    events: u32,
) -> PalletStorageMetadata<PortableForm> {
    let entries = ENTRIES.iter().filter(|entry| entry.pallet == pallet);
    let entries = entries.map(|entry| storage_entry(t, layout, entry, events)).collect();
    PalletStorageMetadata { prefix: pallet.to_owned(), entries }
}

fn storage_entry(
    t: &mut Types,
    layout: &Layout,
    entry: &Entry,
    events: u32,
) -> StorageEntryMetadata<PortableForm> {
    let (value, default) = value(t, layout, entry.value, events);
    let hashers = entry.keys.iter().map(|key| match key {
        KeyPart::Number => StorageHasher::Identity,
        KeyPart::Account => StorageHasher::Blake2_128Concat,
    });
    let keys: Vec<u32> = entry
        .keys
        .iter()
        .map(|key| match key {
            KeyPart::Number => t.u16(),
            KeyPart::Account => t.account(),
        })
        .collect();
    let ty = match keys[..] {
        [] => StorageEntryType::Plain(value.into()),
        [key] => StorageEntryType::Map {
            hashers: hashers.collect(),
            key: key.into(),
            value: value.into(),
        },
        _ => {
            let key = t.tuple(&keys).into();
            StorageEntryType::Map { hashers: hashers.collect(), key, value: value.into() }
        }
    };
    StorageEntryMetadata {
        name: entry.name.to_owned(),
        modifier: if entry.optional {
            StorageEntryModifier::Optional
        } else {
            StorageEntryModifier::Default
        },
        ty,
        default: if entry.optional { vec![0] } else { default },
        docs: Vec::new(),
    }
}

/// A value's type, and its default's bytes.
fn value(t: &mut Types, layout: &Layout, value: Value, events: u32) -> (u32, Vec<u8>) {
    match value {
        Value::Bool => (t.bool(), vec![0]),
        Value::U16 => (t.u16(), vec![0; 2]),
        Value::U32 => (t.u32(), vec![0; 4]),
        Value::U64 => (t.u64(), vec![0; 8]),
        Value::Account => (t.account(), vec![0; 32]),
        Value::Bools => {
            let item = t.bool();
            (t.list(item), vec![0])
        }
        Value::U16s => {
            let item = t.u16();
            (t.list(item), vec![0])
        }
        Value::U64s => {
            let item = t.u64();
            (t.list(item), vec![0])
        }
        Value::WeightPairs => {
            let item = t.u16();
            let pair = t.tuple(&[item, item]);
            (t.list(pair), vec![0])
        }
        Value::Commits => {
            let (hash, number) = (t.hash(), t.u64());
            let commit = t.tuple(&[hash, number, number, number]);
            (t.list(commit), vec![0])
        }
        Value::Axon => {
            let fields = fields(t, &layout.axon);
            (t.record(&["pallet_subtensor", "pallet", "AxonInfo"], &fields), Vec::new())
        }
        Value::AccountInfo => (account_info(t), vec![0; 4 * 4 + 3 * 8 + 16]),
        Value::Events => (events, vec![0]),
    }
}

fn account_info(t: &mut Types) -> u32 {
    let (count, balance, flags) = (t.u32(), t.u64(), t.u128());
    let data = t.record(
        &["pallet_balances", "types", "AccountData"],
        &[("free", balance), ("reserved", balance), ("frozen", balance), ("flags", flags)],
    );
    t.record(
        &["frame_system", "AccountInfo"],
        &[
            ("nonce", count),
            ("consumers", count),
            ("providers", count),
            ("sufficients", count),
            ("data", data),
        ],
    )
}

fn extrinsic(t: &mut Types, calls: u32) -> ExtrinsicMetadata<PortableForm> {
    let account = t.account();
    let address = t
        .variants(&["sp_runtime", "multiaddress", "MultiAddress"], vec![case(0, "Id", &[account])]);
    let short = t.bytes(64);
    let signature = t.variants(
        &["sp_runtime", "MultiSignature"],
        vec![case(0, "Ed25519", &[short]), case(1, "Sr25519", &[short])],
    );
    let unit = t.tuple(&[]);
    let signed_extensions = signed_extensions(t, unit);
    ExtrinsicMetadata {
        version: 4,
        address_ty: address.into(),
        call_ty: calls.into(),
        signature_ty: signature.into(),
        extra_ty: unit.into(),
        signed_extensions,
    }
}

/// The extensions of a runtime of January 2025 (chain.md §2), in their order. Subtensor's own
/// encode to nothing.
fn signed_extensions(t: &mut Types, unit: u32) -> Vec<SignedExtensionMetadata<PortableForm>> {
    let (version, hash) = (t.u32(), t.hash());
    let era = {
        let byte = t.primitive(TypeDefPrimitive::U8);
        let mortal = |number: u8| case(number, &format!("Mortal{number}"), &[byte]);
        let mut eras = vec![case(0, "Immortal", &[])];
        eras.extend((1..=u8::MAX).map(mortal));
        t.variants(&["sp_runtime", "generic", "era", "Era"], eras)
    };
    let nonce = t.compact(version);
    let tip = {
        let amount = t.u64();
        t.compact(amount)
    };
    let mode = t.variants(
        &["frame_metadata_hash_extension", "Mode"],
        vec![case(0, "Disabled", &[]), case(1, "Enabled", &[])],
    );
    let bytes = t.bytes(32);
    let metadata_hash = t.option(bytes);
    let extension = |identifier: &str, ty: u32, additional: u32| SignedExtensionMetadata {
        identifier: identifier.to_owned(),
        ty: ty.into(),
        additional_signed: additional.into(),
    };
    vec![
        extension("CheckNonZeroSender", unit, unit),
        extension("CheckSpecVersion", unit, version),
        extension("CheckTxVersion", unit, version),
        extension("CheckGenesis", unit, hash),
        extension("CheckMortality", era, hash),
        extension("CheckNonce", nonce, unit),
        extension("CheckWeight", unit, unit),
        extension("ChargeTransactionPayment", tip, unit),
        extension("SubtensorSignedExtension", unit, unit),
        extension("CommitmentsSignedExtension", unit, unit),
        extension("CheckMetadataHash", mode, metadata_hash),
    ]
}
