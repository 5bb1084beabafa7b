//! Where contexts come from, and how sources are asked.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use sn1_actors::domain::SourceKind;

use super::{none_is_empty, seconds};

/// `tools.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tools {
    /// The sources, the preferred one first; each once, at least one.
    pub sources: Vec<SourceName>,
    /// Mail or web address that sources on a network are told whom to write to.
    #[serde(default)]
    pub contact: Option<String>,
    /// Contexts of each kind that are fetched ahead from each slow source; 0 is none.
    pub prefetch: usize,
    /// Requests a second to one host, above 0.
    pub requests_per_second: f64,
    /// Requests at a time to one host, from 1.
    pub in_flight: usize,
    /// How long one request may take; above 0.
    #[serde(deserialize_with = "seconds")]
    pub timeout: Duration,
    /// Tries of one request, from 1.
    pub tries: u32,
    /// Folder of articles that wikipedia brought; `None` is the cache's usual place.
    #[serde(default)]
    pub cache: Option<PathBuf>,
    /// Size in bytes that this folder is kept under; 0 keeps nothing.
    pub cache_bytes: u64,
    /// The `api.php` of a MediaWiki, `http://` or `https://`.
    pub wikipedia_api: String,
    /// Name of the environment variable that holds its bearer token.
    #[serde(default)]
    pub wikipedia_token_env: Option<String>,
    /// Address of the Stack Exchange API with its version, `http://` or `https://`.
    pub stackexchange_api: String,
    /// The site that is asked there.
    pub stackexchange_site: String,
    /// Name of the environment variable that holds the application's key there.
    #[serde(default)]
    pub stackexchange_key_env: Option<String>,
    /// The ZIM files that are read.
    #[serde(default, deserialize_with = "none_is_empty")]
    pub zim_files: Vec<PathBuf>,
    /// The folder of source files that is read.
    #[serde(default)]
    pub code_folder: Option<PathBuf>,
}

/// A source of contexts by its name in configuration, the journal and on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceName {
    /// Wikipedia, or another MediaWiki.
    Wikipedia,
    /// Wikipedia in files of Kiwix.
    Zim,
    /// Stack Overflow, or another site of Stack Exchange.
    StackExchange,
    /// A folder of source files.
    Code,
    /// Problems made on the spot.
    Maths,
    /// The corpus inside the program.
    Builtin,
}

impl SourceName {
    /// Every source.
    pub const ALL: [Self; 6] =
        [Self::Wikipedia, Self::Zim, Self::StackExchange, Self::Code, Self::Maths, Self::Builtin];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wikipedia => "wikipedia",
            Self::Zim => "zim",
            Self::StackExchange => "stackexchange",
            Self::Code => "code",
            Self::Maths => "maths",
            Self::Builtin => "builtin",
        }
    }

    /// The source of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }

    /// The kinds of context that it has, the usual one first.
    #[must_use]
    pub fn kinds(self) -> &'static [SourceKind] {
        match self {
            Self::Wikipedia | Self::Zim => &[SourceKind::Article, SourceKind::DatedFact],
            Self::StackExchange => &[SourceKind::Question],
            Self::Code => &[SourceKind::Code],
            Self::Maths => &[SourceKind::Maths],
            Self::Builtin => &[
                SourceKind::Article,
                SourceKind::DatedFact,
                SourceKind::Code,
                SourceKind::Question,
            ],
        }
    }

    /// Whether it has contexts of one of these kinds.
    #[must_use]
    pub fn has_any(self, kinds: &[SourceKind]) -> bool {
        kinds.iter().any(|kind| self.kinds().contains(kind))
    }
}

/// Whether somebody can be written to there: a mail or web address that fits into a header.
pub(super) fn is_contact(text: &str) -> bool {
    const LONGEST: usize = 200;
    let web = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let mail = text.split_once('@');
    let named = web.is_some_and(|rest| !rest.is_empty())
        || mail.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')');
    named && text.len() <= LONGEST && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_found_by_its_name_and_has_something() {
        for source in SourceName::ALL {
            assert_eq!(SourceName::named(source.as_str()), Some(source));
            assert!(!source.kinds().is_empty());
        }
        assert_eq!(SourceName::named("Wikipedia"), None);
    }

    #[test]
    fn a_contact_is_a_mail_or_web_address_that_fits_into_a_header() {
        for good in ["ops@example.org", "https://example.org/sn1", "http://example.org"] {
            assert!(is_contact(good), "{good}");
        }
        for bad in ["", "me", "me@here", "@example.org", "https://", "a@b.c\r\nX: y", "ä@b.c"] {
            assert!(!is_contact(bad), "{bad}");
        }
        assert!(!is_contact(&format!("{}@example.org", "a".repeat(200))));
    }
}
