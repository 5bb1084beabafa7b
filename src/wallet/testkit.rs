//! The sample wallets of `tests/fixtures/wallets`, with the modes that git does not keep.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::config::settings::Wallet;

pub(super) const COLD: &str = "5EPCUjPxiHAcNooYipQFWr9NmmXJKpNG5RhcntXwbtUySrgH";
pub(super) const HOT: &str = "5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe";
pub(super) const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
pub(super) const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
pub(super) const PASSWORD: &str = "sn1-Test-Passw0rd!";

/// A file of the fixtures.
pub(super) fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wallets");
    fs::read(folder.join(name)).unwrap()
}

/// A new file that only its owner may read.
pub(super) fn secret_file(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// Settings that name a wallet below a folder.
pub(super) fn wallet(folder: &TempDir, name: &str, hotkey: &str) -> Wallet {
    let (name, hotkey, path) = (name.to_owned(), hotkey.to_owned(), folder.path().to_owned());
    Wallet { name, hotkey, path, password_file: None }
}
