//! The one table of configuration keys, and what a row of it says.
//!
//! Flags, environment names, validation, help and `sn1 config show` all come from this table. A
//! part that starts to need a value adds a row, a line in the files of `config/` and a field in
//! [`super::Settings`]; a test compares the three.

mod table;

pub use table::{ALIASES, KEYS};

/// Which program the configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `sn1 validator`, and the subcommands that run one actor of it.
    Validator,
    /// `sn1 miner`.
    Miner,
    /// `sn1 localnet`: a validator, miners and a chain in one process.
    Localnet,
}

impl Role {
    /// Every role.
    pub const ALL: &[Self] = &[Self::Validator, Self::Miner, Self::Localnet];

    /// The name: also that of the file, without `.toml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Miner => "miner",
            Self::Localnet => "localnet",
        }
    }

    /// The embedded file with the built-in defaults.
    #[must_use]
    pub fn defaults(self) -> &'static str {
        match self {
            Self::Validator => include_str!("../../config/validator.toml"),
            Self::Miner => include_str!("../../config/miner.toml"),
            Self::Localnet => include_str!("../../config/localnet.toml"),
        }
    }
}

/// The numbers that a key takes; always finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least number.
    pub low: f64,
    /// Whether `low` itself is refused.
    pub above_low: bool,
    /// The greatest number; itself allowed.
    pub high: f64,
}

impl Range {
    const fn closed(low: f64, high: f64) -> Self {
        Self { low, above_low: false, high }
    }

    const fn above(low: f64, high: f64) -> Self {
        Self { low, above_low: true, high }
    }

    /// Whether `number` is in the range. NaN never is.
    #[must_use]
    pub fn contains(self, number: f64) -> bool {
        let low = if self.above_low { number > self.low } else { number >= self.low };
        low && number <= self.high
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let relation = if self.above_low { "above" } else { "from" };
        write!(f, "{relation} {} to {}", self.low, self.high)
    }
}

/// What kind of value a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`; as a flag also without a value.
    Bool,
    /// A whole number, bounds included.
    Integer {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// A number.
    Float(Range),
    /// A duration in seconds, fractions allowed.
    Seconds(Range),
    /// A text.
    Text,
    /// An IP address, v4 or v6; `[::]` is understood as `::`.
    Ip,
    /// An address to listen on, as `127.0.0.1:9090` or `[::1]:9090`, or `off`.
    Listen,
    /// A file or folder; a leading `~/` is the home folder.
    Path,
    /// Several texts.
    TextList,
    /// Several files or folders.
    PathList,
    /// Several texts, each with a flag of its own, which is repeated.
    Repeated,
    /// Several numbers, each in the range.
    FloatList(Range),
}

/// What setting a key does in this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is in [`super::Settings`].
    Used,
    /// It is accepted so that run scripts of the original keep working, and warned about once.
    Ignored {
        /// Why nothing follows from it.
        why: &'static str,
    },
    /// It belongs to a part that is not built yet; anything but the default is an error.
    Later {
        /// The part that is missing.
        what: &'static str,
        /// The value, as the flag would be written, that is accepted.
        default: &'static str,
    },
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// The dotted name, as in TOML and after `--`.
    pub name: &'static str,
    /// What kind of value it takes.
    pub kind: Kind,
    /// The roles in which it has an effect. Elsewhere it is warned about.
    pub roles: &'static [Role],
    /// Whether it may be left out, or be unset with an empty text.
    pub optional: bool,
    /// What setting it does.
    pub meaning: Meaning,
    /// One line for `--help`.
    pub help: &'static str,
}

impl Key {
    /// The row of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The section: what is before the first dot, or nothing.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(section, _)| section)
    }

    /// The name in the environment.
    #[must_use]
    pub fn environment(&self) -> String {
        let (section, name) = self.name.split_once('.').unwrap_or(("", self.name));
        let (section, name) = (section.to_ascii_uppercase(), name.to_ascii_uppercase());
        if section.is_empty() { format!("SN1__{name}") } else { format!("SN1_{section}__{name}") }
    }

    /// The flag.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.name)
    }

    /// The short flags that mean this key, without `--`.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> {
        ALIASES.iter().filter(|(_, name)| *name == self.name).map(|(alias, _)| *alias)
    }

    /// Whether the key has an effect in the role.
    #[must_use]
    pub fn used_by(&self, role: Role) -> bool {
        self.meaning == Meaning::Used && self.roles.contains(&role)
    }

    /// Whether the value must not be shown: judged by the name, so that a new secret is hidden
    /// before anybody thinks of it.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        let last = self.name.rsplit('.').next().unwrap_or(self.name);
        ["key", "secret", "password", "mnemonic", "token"].iter().any(|word| {
            last == *word || last.strip_suffix(word).is_some_and(|rest| rest.ends_with('_'))
        })
    }
}
