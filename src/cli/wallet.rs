//! `sn1 wallet`: makes, restores and shows the keys of `btcli`'s wallet folder.

use std::io::{IsTerminal, Read};

use clap::{Arg, ArgMatches, Command};
use zeroize::Zeroizing;

use super::{flag, json_flag, output, settings, switch};
use crate::config::{Role, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::wallet::{
    KeyDraft, KeyKind, KeySource, Passwords, Phrase, WORD_COUNTS, WalletError, WalletFolder,
    refuse_existing,
};

mod report;

const KIND: &str = "kind";
/// The longest mnemonic has a tenth of this.
const LONGEST_INPUT: u64 = 4 << 10;

pub(super) fn command() -> Command {
    let kinds: Vec<&str> = KeyKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let kind = Arg::new(KIND).value_name("KEY").value_parser(kinds);
    let any = kind.clone().help("coldkey or hotkey; both when left out");
    let named = kind.required(true).help("coldkey or hotkey");
    Command::new("wallet")
        .about("Keys: make, restore, show and list them, in the wallet folder of btcli")
        .after_help(
            "Examples:\n  sn1 wallet new --wallet.name alice --wallet.hotkey miner1\n  \
             sn1 wallet regen hotkey --wallet.name alice < words.txt\n  sn1 wallet list\n\n\
             Coldkeys are encrypted, hotkeys are not, unless told otherwise: a neuron has to open its \
             hotkey without anybody there. Nothing is ever overwritten.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            new("new", "Make new keys").arg(any),
            new("new_coldkey", "Make a new coldkey").alias("new-coldkey"),
            new("new_hotkey", "Make a new hotkey").alias("new-hotkey"),
            regen("regen", "Restore a key from its mnemonic or seed").arg(named),
            regen("regen_coldkey", "Restore a coldkey").alias("regen-coldkey"),
            regen("regen_hotkey", "Restore a hotkey").alias("regen-hotkey"),
            wallet_flags(
                Command::new("show")
                    .about("Print addresses and files of one wallet")
                    .after_help("Example:\n  sn1 wallet show --wallet.name alice"),
            ),
            wallet_flags(
                Command::new("list")
                    .about("Print all wallets as a tree")
                    .after_help("Example:\n  sn1 wallet list --wallet.path ~/.bittensor/wallets"),
            ),
        ])
}

fn new(name: &'static str, about: &'static str) -> Command {
    let words = flag("n-words", "N")
        .visible_alias("n_words")
        .value_parser(words)
        .default_value("12")
        .help("words of the mnemonic: 12, 15, 18, 21 or 24");
    writing(Command::new(name).about(about).arg(words)).after_help(
        "Example:\n  sn1 wallet new_hotkey --wallet.name alice --wallet.hotkey miner1\n\n\
         The mnemonic is shown once. It restores the key: write it down and show it to nobody.",
    )
}

fn regen(name: &'static str, about: &'static str) -> Command {
    let mnemonic = flag("mnemonic", "WORDS")
        .num_args(1..)
        .help("the words; others on this machine can see them in the list of processes");
    let seed = flag("seed", "HEX")
        .conflicts_with("mnemonic")
        .help("the seed instead, as 0x and 64 hex digits");
    writing(Command::new(name).about(about).arg(mnemonic).arg(seed)).after_help(
        "Example:\n  sn1 wallet regen_hotkey --wallet.name alice --wallet.hotkey miner1\n\n\
         Without --mnemonic or --seed, the words or the seed are asked for on the terminal, or read \
         from standard input.",
    )
}

fn writing(command: Command) -> Command {
    let encrypted = switch("use-password").visible_alias("use_password");
    let encrypted = encrypted.help("encrypt the hotkey too");
    let plain = switch("no-use-password").visible_alias("no_password");
    let plain = plain.conflicts_with("use-password").help("do not encrypt the coldkey");
    wallet_flags(command.arg(encrypted).arg(plain))
}

fn wallet_flags(command: Command) -> Command {
    add_flags_of(command, &["wallet"]).arg(json_flag())
}

fn words(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| WORD_COUNTS.contains(count));
    count.ok_or_else(|| "a mnemonic has 12, 15, 18, 21 or 24 words".to_owned())
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Ended::new(Exit::Usage, "see `sn1 wallet --help`").into());
    };
    let wallet = settings(Role::Validator, matches)?.wallet;
    let folder = WalletFolder::new(&wallet).map_err(Ended::from)?;
    let json = matches.get_flag("json");
    match verb {
        "show" => report::show(&folder, json),
        "list" => report::list(&folder, json),
        _ => {
            let order = Order::read(verb, matches, folder, Passwords::from_process(&wallet));
            // Asking, stretching a password and syncing files hold up the thread.
            let made = tokio::task::spawn_blocking(move || order.carry_out(json)).await;
            made.unwrap_or(Err(WalletError::CutOff)).map_err(Ended::from)?;
            Ok(Exit::Done)
        }
    }
}

/// Keys to be made.
struct Order {
    folder: WalletFolder,
    kinds: Vec<KeyKind>,
    source: Source,
    /// Whether to encrypt; `None` is as usual for the kind of key.
    encrypt: Option<bool>,
    passwords: Passwords,
}

/// Where the keys come from.
enum Source {
    /// A new mnemonic of so many words.
    New(usize),
    /// Words or a seed from the command line.
    Given(Zeroizing<String>),
    /// Words or a seed from the terminal or standard input.
    Asked,
}

/// A key that is about to be made, with its mnemonic if that is new.
struct Made {
    draft: KeyDraft,
    mnemonic: Option<Zeroizing<String>>,
}

impl Order {
    fn read(verb: &str, matches: &ArgMatches, folder: WalletFolder, passwords: Passwords) -> Self {
        let (verb, named) = verb.split_once('_').map_or((verb, None), |(v, kind)| (v, Some(kind)));
        let given = matches.try_get_one::<String>(KIND).ok().flatten().map(String::as_str);
        let kinds = KeyKind::ALL.iter().copied();
        let kinds = kinds.filter(|kind| named.or(given).is_none_or(|name| name == kind.as_str()));
        let source = match verb {
            "new" => Source::New(matches.get_one("n-words").copied().unwrap_or(12)),
            _ => given_secret(matches).map_or(Source::Asked, Source::Given),
        };
        let encrypt = match (matches.get_flag("use-password"), matches.get_flag("no-use-password"))
        {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        };
        Self { folder, kinds: kinds.collect(), source, encrypt, passwords }
    }

    fn encrypts(&self, kind: KeyKind) -> bool {
        self.encrypt.unwrap_or(kind == KeyKind::Coldkey)
    }

    /// Makes and prints the keys. They are printed when all is written and before any has its name,
    /// so whatever fails, there is no key whose words nobody saw.
    fn carry_out(&self, json: bool) -> Result<(), WalletError> {
        let made = self.draft()?;
        output::delivered(&report::made(&made, json)).map_err(|cause| WalletError::Io {
            what: "show the new keys on",
            path: "standard output".into(),
            cause,
        })?;
        made.into_iter().try_for_each(|made| made.draft.place().map(drop))
    }

    /// Drafts of the keys, once it is sure that none of them is there; one password serves all.
    fn draft(&self) -> Result<Vec<Made>, WalletError> {
        for kind in &self.kinds {
            refuse_existing(&self.folder, *kind)?;
        }
        let sources = self.kinds.iter().map(|kind| Ok((*kind, self.source.draw()?)));
        let sources: Vec<_> = sources.collect::<Result<_, WalletError>>()?;
        let encrypted = self.kinds.iter().find(|kind| self.encrypts(**kind));
        let password = match encrypted {
            Some(kind) => Some(self.passwords.for_new(&self.folder.secret_file(*kind))?),
            None => None,
        };
        let write = |(kind, source): (KeyKind, KeySource)| {
            let password = password.as_ref().filter(|_| self.encrypts(kind));
            let draft = KeyDraft::write(&self.folder, kind, &source, password)?;
            let mnemonic = match (&self.source, source) {
                (Source::New(_), KeySource::Phrase(phrase)) => Some(phrase.words()),
                _ => None,
            };
            Ok(Made { draft, mnemonic })
        };
        sources.into_iter().map(write).collect()
    }
}

fn given_secret(matches: &ArgMatches) -> Option<Zeroizing<String>> {
    if let Some(seed) = matches.get_one::<String>("seed") {
        // Without 0x it would be taken for a word.
        return Some(Zeroizing::new(format!("0x{}", seed.trim_start_matches("0x"))));
    }
    let words: Vec<&str> = matches.get_many::<String>("mnemonic")?.map(String::as_str).collect();
    Some(Zeroizing::new(words.join(" ")))
}

impl Source {
    fn draw(&self) -> Result<KeySource, WalletError> {
        match self {
            Self::New(words) => Phrase::generate(*words).map(KeySource::Phrase),
            Self::Given(text) => KeySource::parse(text),
            Self::Asked => KeySource::parse(&asked()?),
        }
    }
}

/// Words or a seed from whoever is there.
fn asked() -> Result<Zeroizing<String>, WalletError> {
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_INPUT as usize));
    let stdin = std::io::stdin();
    let read = if stdin.is_terminal() {
        rpassword::prompt_password("Mnemonic, or seed with 0x (not shown): ")
            .map(|answer| text = Zeroizing::new(answer))
    } else {
        stdin.lock().take(LONGEST_INPUT).read_to_string(&mut text).map(|_| ())
    };
    let path = "standard input".into();
    read.map_err(|cause| WalletError::Io { what: "read the mnemonic from", path, cause })?;
    Ok(text)
}
