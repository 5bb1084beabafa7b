//! Where the password of a key file comes from: a file, the SDK's environment variables, or a
//! question on the terminal, in this order.

use std::fmt;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroize;

use super::error::WalletError;
use super::files;
use super::secret::Secret;
use crate::config::settings::Wallet;

/// What the Rust wallet of the SDK begins its variables with, from version 7 on.
const SCRAMBLED: &str = "BT_PW_";
/// What SDKs up to 6 begin theirs with.
const PLAIN: &str = "BT_COLD_PW_";
/// Where systemd puts what a unit loads, for that unit alone. The mode of a file there does not tell,
/// where an access list says so.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// A new password has at least so many characters.
const SHORTEST: usize = 8;

/// The sources of passwords. They show nothing in `Debug`.
#[derive(Debug, Default)]
pub struct Passwords {
    /// `wallet.password_file`.
    file: Option<PathBuf>,
    /// Systemd's folder for this unit.
    credentials: Option<PathBuf>,
    /// The variables of the SDK.
    variables: Vec<(String, Secret)>,
    /// Whether somebody is there to be asked.
    terminal: bool,
}

/// How a password can be given, for an error that there is none.
#[derive(Debug)]
pub struct PasswordWays {
    variable: String,
}

impl fmt::Display for PasswordWays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "name a file that holds it with --wallet.password_file, set the SDK's variable {}, or \
             run on a terminal to be asked",
            self.variable
        )
    }
}

impl Passwords {
    /// The file of the settings, and the variables and the terminal of this process.
    #[must_use]
    pub fn from_process(wallet: &Wallet) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let ours = name.starts_with(SCRAMBLED) || is_plain(&name);
            ours.then(|| (name, Secret::new(value.into_encoded_bytes())))
        });
        Self {
            file: wallet.password_file.clone(),
            credentials: std::env::var_os(CREDENTIALS).map(PathBuf::from),
            variables: variables.collect(),
            terminal: std::io::stdin().is_terminal(),
        }
    }

    /// Of a file and nothing else: for programs without a terminal.
    #[cfg(test)]
    pub(super) fn with_file(file: Option<&Path>) -> Self {
        Self { file: file.map(Path::to_owned), ..Self::default() }
    }

    /// The password of a key file that is there. Blocks while somebody is asked.
    ///
    /// # Errors
    /// [`WalletError::NoPassword`] when no source has one, else what is wrong with the source.
    pub fn of(&self, path: &Path) -> Result<Secret, WalletError> {
        match self.given(path)? {
            Some(password) => Ok(password),
            None => self
                .plain_variable(path)
                .map_or_else(|| self.ask(path, &format!("Password of {}: ", path.display())), Ok),
        }
    }

    /// Whether the password of a key file can be had without asking somebody. Nobody is asked.
    ///
    /// # Errors
    /// As [`Self::of`]: no source has one, and nobody is there to be asked.
    pub fn foreseen(&self, path: &Path) -> Result<bool, WalletError> {
        if self.given(path)?.is_some() || self.plain_variable(path).is_some() {
            return Ok(true);
        }
        if self.terminal { Ok(false) } else { Err(no_password(path)) }
    }

    /// The password for a new key file. Blocks while somebody is asked, twice.
    ///
    /// # Errors
    /// As [`Self::of`]; [`WalletError::BadPassword`] when it is too short or was mistyped.
    pub fn for_new(&self, path: &Path) -> Result<Secret, WalletError> {
        // A variable of old SDKs is not asked for: it fits several wallets, and to encrypt with
        // another one's password would be noticed late.
        let password = match self.given(path)? {
            Some(password) => password,
            None => {
                let new = self.ask(path, &format!("New password for {}: ", path.display()))?;
                let again = self.ask(path, "Once more: ")?;
                if new.expose() != again.expose() {
                    return Err(WalletError::BadPassword(
                        "was not the same twice; nothing is written",
                    ));
                }
                new
            }
        };
        let characters = String::from_utf8_lossy(password.expose()).chars().count();
        if characters < SHORTEST {
            return Err(WalletError::BadPassword("has to have at least 8 characters"));
        }
        Ok(password)
    }

    /// From the file, or from the variable that is of this key file only.
    fn given(&self, path: &Path) -> Result<Option<Secret>, WalletError> {
        let Some(file) = &self.file else { return self.scrambled_variable(path) };
        let is_credential = |folder: &PathBuf| file.parent() == Some(folder.as_path());
        let content = match self.credentials.as_ref().is_some_and(is_credential) {
            true => files::read_credential(file)?,
            false => files::read_secret(file)?,
        };
        first_line(&content).map(Some)
    }

    fn scrambled_variable(&self, path: &Path) -> Result<Option<Secret>, WalletError> {
        let name = scrambled_name(path);
        let Some((_, value)) = self.variables.iter().find(|(known, _)| *known == name) else {
            return Ok(None);
        };
        let mut password = STANDARD
            .decode(value.expose().trim_ascii())
            .map_err(|_| WalletError::BadVariable(name.clone()))?;
        for (byte, mask) in password.iter_mut().zip(name.bytes().cycle()) {
            *byte ^= mask;
        }
        Ok(Some(Secret::new(password)))
    }

    /// SDKs up to 6 take any variable whose name ends with the wallet's, in any case; we prefer the
    /// one that says no more than that.
    fn plain_variable(&self, path: &Path) -> Option<Secret> {
        let wallet = path.parent()?.file_name()?.to_str()?.to_uppercase();
        let mut fitting: Vec<_> = self
            .variables
            .iter()
            .filter(|(name, _)| is_plain(name) && name.to_uppercase().ends_with(&wallet))
            .collect();
        fitting.sort_by_key(|(name, _)| (name.len(), name));
        let (_, value) = fitting.first()?;
        Some(Secret::new(value.expose().to_vec()))
    }

    fn ask(&self, path: &Path, question: &str) -> Result<Secret, WalletError> {
        let path = path.to_owned();
        if !self.terminal {
            return Err(no_password(&path));
        }
        let answer = rpassword::prompt_password(question);
        let mut answer = answer.map_err(|cause| WalletError::Io {
            what: "ask for the password of",
            path,
            cause,
        })?;
        // As btcli does, so that a blank typed there by mistake is none here.
        let password = Secret::new(answer.trim().as_bytes().to_vec());
        answer.zeroize();
        Ok(password)
    }
}

fn no_password(path: &Path) -> WalletError {
    let ways = PasswordWays { variable: scrambled_name(path) };
    WalletError::NoPassword { path: path.to_owned(), ways }
}

fn is_plain(name: &str) -> bool {
    name.to_uppercase().starts_with(PLAIN)
}

/// The Rust wallet's variable for a key file.
fn scrambled_name(path: &Path) -> String {
    let path = path.to_string_lossy().replace(['/', '.'], "_");
    format!("{SCRAMBLED}{}", path.to_uppercase())
}

/// A password file holds one line; its end does not belong to the password.
fn first_line(content: &Secret) -> Result<Secret, WalletError> {
    let line = content.expose();
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(WalletError::BadPassword("file is empty"));
    }
    if line.contains(&b'\n') {
        return Err(WalletError::BadPassword("file has more than one line"));
    }
    Ok(Secret::new(line.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::testkit::secret_file;
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Passwords {
        let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), secret(value)));
        Passwords { variables: variables.collect(), ..Passwords::default() }
    }

    fn of(passwords: &Passwords, path: &str) -> String {
        String::from_utf8(passwords.of(Path::new(path)).unwrap().expose().to_vec()).unwrap()
    }

    #[test]
    fn reads_the_variables_of_the_rust_wallet() {
        // Written by `Keyfile.save_password_to_env` of bittensor-wallet 4.1.1.
        let passwords = with(&[
            ("BT_PW__W_SAMPLE_COLDKEY", "MTpufQM6LCNyAyA+Izt1LSdubIf3K5rtNzA0Mg=="),
            (
                "BT_PW__HOME_U__BITTENSOR_WALLETS_MY-COLD_1_HOTKEYS_DEFAULT",
                "MTpufQM6LDxiHSQsJihvMC11dIbyPYz9PDglKQ==",
            ),
        ]);
        for path in ["/w/sample/coldkey", "/home/u/.bittensor/wallets/my-cold.1/hotkeys/default"] {
            assert_eq!(of(&passwords, path), "sn1-Test-Passw0rd! ünïcode");
        }
    }

    #[test]
    fn refuses_a_variable_that_holds_a_plain_password() {
        let error = with(&[("BT_PW__W_COLDKEY", "pass word!")]).of(Path::new("/w/coldkey"));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("BT_PW__W_COLDKEY") && !error.contains("pass word!"), "{error}");
    }

    #[test]
    fn reads_the_variables_of_old_sdks_for_keys_that_are_there() {
        let passwords = with(&[("BT_COLD_PW_MY_OTHER_ALICE", "2"), ("bt_cold_pw_alice", "1")]);
        assert_eq!(of(&passwords, "/w/alice/coldkey"), "1");
        assert_eq!(of(&passwords, "/w/other_alice/coldkey"), "2");
        assert!(passwords.of(Path::new("/w/bob/coldkey")).is_err());
        assert!(passwords.for_new(Path::new("/w/alice/coldkey")).is_err());
    }

    #[test]
    fn without_a_source_the_error_names_all_three() {
        let error = with(&[]).of(Path::new("/w/a.b/coldkey")).unwrap_err().to_string();
        for way in ["--wallet.password_file", "BT_PW__W_A_B_COLDKEY", "terminal"] {
            assert!(error.contains(way), "{error}");
        }
    }

    #[test]
    fn a_file_goes_before_a_variable_and_loses_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let from = |text: &str| {
            let file = Some(secret_file(&folder, "password", text.as_bytes()));
            let passwords = Passwords { file, ..with(&[("BT_COLD_PW_ALICE", "variable")]) };
            passwords.for_new(Path::new("/w/alice/coldkey"))
        };
        for text in [" my password", " my password\n", " my password\r\n"] {
            assert_eq!(from(text).unwrap().expose(), b" my password");
        }
        for refused in ["", "\n", "first line\nsecond line\n", "short"] {
            assert!(matches!(from(refused), Err(WalletError::BadPassword(_))), "{refused:?}");
        }
    }

    #[test]
    fn only_a_credential_of_systemd_may_be_readable_for_a_group() {
        let folder = tempfile::tempdir().unwrap();
        let file = secret_file(&folder, "wallet-password", b"my password");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o440)).unwrap();
        let of = |credentials: Option<&Path>| {
            let credentials = credentials.map(Path::to_owned);
            let file = Some(file.clone());
            let passwords = Passwords { file, credentials, ..Passwords::default() };
            passwords.of(Path::new("/w/alice/hotkeys/default"))
        };
        assert_eq!(of(Some(folder.path())).unwrap().expose(), b"my password");
        for elsewhere in [None, folder.path().parent()] {
            assert!(matches!(of(elsewhere), Err(WalletError::Mode { .. })));
        }
    }

    #[test]
    fn shows_no_password() {
        let shown = format!("{:?}", with(&[("BT_COLD_PW_ALICE", "hunter2")]));
        assert!(shown.contains("BT_COLD_PW_ALICE") && !shown.contains("hunter2"), "{shown}");
    }
}
