//! What `sn1 wallet` prints.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::super::output;
use super::Made;
use crate::exit::{Ended, Exit};
use crate::wallet::{
    Encryption, KeyKind, KeyState, ListedWallet, WalletFolder, list as listing, state,
};

/// Names and addresses are cut to this: both can be longer only in a folder made by hand.
const WIDTH: usize = 100;

/// Keys that are about to be made, each with its mnemonic if that is new.
pub(super) fn made(all: &[Made], json: bool) -> Zeroizing<String> {
    if json {
        let object = all.iter().map(|Made { draft, mnemonic }| {
            let key = draft.key();
            let mut value = json!({
                "ss58_address": key.address,
                "path": key.path,
                "encrypted": key.encrypted,
            });
            if let (Some(words), Some(object)) = (mnemonic, value.as_object_mut()) {
                object.insert("mnemonic".to_owned(), json!(words.as_str()));
            }
            (key.kind.to_string(), value)
        });
        let object = Value::Object(object.collect());
        return Zeroizing::new(format!("{object:#}"));
    }
    let mut lines = Vec::new();
    for key in all.iter().map(|made| made.draft.key()) {
        let how = if key.encrypted { "encrypted" } else { "not encrypted" };
        lines.push(format!("{:8} {}  {} ({how})", key.kind, key.address, key.path.display()));
    }
    if all.iter().any(|made| made.mnemonic.is_some()) {
        lines.push(
            "\nWrite this down. It restores the key, and whoever reads it has the key. It is not \
             shown again."
                .to_owned(),
        );
    }
    for Made { draft, mnemonic } in all {
        if let Some(words) = mnemonic {
            lines.push(format!("{:8} {}", draft.key().kind, words.as_str()));
        }
    }
    Zeroizing::new(lines.join("\n"))
}

/// One wallet: addresses, files, encryption, and what is wrong.
pub(super) fn show(folder: &WalletFolder, json: bool) -> anyhow::Result<Exit> {
    let states: Vec<_> = KeyKind::ALL.iter().map(|kind| (*kind, state(folder, *kind))).collect();
    if states.iter().all(|(_, state)| !state.present && state.address.is_none()) {
        return Err(Ended::from(folder.missing(KeyKind::Hotkey)).into());
    }
    if json {
        let mut object = Map::from_iter([
            ("name".to_owned(), json!(folder.name())),
            ("hotkey_name".to_owned(), json!(folder.hotkey_name())),
        ]);
        object.extend(states.iter().map(|(kind, state)| (kind.to_string(), shown(state))));
        output::json(&object)?;
    } else {
        output::line(&format!("wallet   {} in {}", folder.name(), folder.root().display()))?;
        for (kind, state) in &states {
            let address = state.address.as_deref().unwrap_or("address unknown");
            let (path, how) = (state.path.display(), in_words(state));
            output::line(&format!("{kind:8} {address}  {path} ({how})"))?;
        }
    }
    match states.into_iter().find_map(|(_, state)| state.problem) {
        Some(problem) => Err(Ended::from(problem).into()),
        None => Ok(Exit::Done),
    }
}

fn shown(state: &KeyState) -> Value {
    json!({
        "ss58_address": state.address,
        "path": state.path,
        "present": state.present,
        "encryption": state.encryption.as_ref().map(Encryption::to_string),
        "problem": state.problem.as_ref().map(ToString::to_string),
    })
}

fn in_words(state: &KeyState) -> String {
    match (state.present, state.encryption, &state.problem) {
        (false, _, _) => "not on this machine".to_owned(),
        (true, Some(encryption), _) => format!("encrypted, {encryption}"),
        (true, None, Some(_)) => "cannot be used".to_owned(),
        (true, None, None) => "not encrypted".to_owned(),
    }
}

/// All wallets, as a tree.
pub(super) fn list(folder: &WalletFolder, json: bool) -> anyhow::Result<Exit> {
    let wallets = listing(folder).map_err(Ended::from)?;
    if json {
        let entry =
            |name: &str, address: &Option<String>| json!({"name": name, "ss58_address": address});
        let wallets = wallets.iter().map(|ListedWallet { name, coldkey, hotkeys }| {
            let hotkeys = hotkeys.iter().map(|(name, address)| entry(name, address));
            let mut value = entry(name, coldkey);
            value["hotkeys"] = hotkeys.collect();
            value
        });
        output::json(&json!({"path": folder.root(), "wallets": wallets.collect::<Vec<_>>()}))?;
        return Ok(Exit::Done);
    }
    output::line(&folder.root().display().to_string())?;
    if wallets.is_empty() {
        output::line("  no wallets; make one with `sn1 wallet new`")?;
    }
    let entry = |name: &str, address: &Option<String>| {
        let address = address.as_deref().unwrap_or("address unknown");
        format!("{}  {address}", output::shown(name, WIDTH))
    };
    for (wallet, more) in with_more(&wallets) {
        let (branch, trunk) = if more { ("├──", "│  ") } else { ("└──", "   ") };
        output::line(&format!("{branch} {}", entry(&wallet.name, &wallet.coldkey)))?;
        for ((name, address), more) in with_more(&wallet.hotkeys) {
            let branch = if more { "├──" } else { "└──" };
            output::line(&format!("{trunk} {branch} {}", entry(name, address)))?;
        }
    }
    Ok(Exit::Done)
}

/// Each with whether another follows.
fn with_more<T>(all: &[T]) -> impl Iterator<Item = (&T, bool)> {
    all.iter().enumerate().map(|(at, one)| (one, at + 1 < all.len()))
}
