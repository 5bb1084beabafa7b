//! The address of a model server, as the user writes it and as it is asked.

use std::fmt;

use reqwest::Url;

/// An `http://` or `https://` address that ends in `/v1`. It holds no user and no password, so it
/// may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BaseUrl(Url);

impl BaseUrl {
    /// Reads an address with or without the final `/v1`; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut url =
            Url::parse(text.trim()).map_err(|_| "it is no http:// or https:// address")?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err("it is no http:// or https:// address");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a key does not belong into the address: name its variable instead");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it ends in a query or a fragment");
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path).to_owned();
        url.set_path(&format!("{path}/v1"));
        Ok(Self(url))
    }

    /// The address of something below it.
    pub(super) fn of(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", self.0.path()));
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches("/v1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_with_and_without_the_version() {
        for (text, models) in [
            ("http://h:1", "http://h:1/v1/models"),
            ("http://h:1/", "http://h:1/v1/models"),
            ("http://h:1/v1", "http://h:1/v1/models"),
            (" https://h/v1/ ", "https://h/v1/models"),
            ("https://h/proxy/m", "https://h/proxy/m/v1/models"),
            ("http://[::1]:8/v1", "http://[::1]:8/v1/models"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().of("models").as_str(), models);
        }
        assert_eq!(BaseUrl::parse("http://h:1/v1/").unwrap().to_string(), "http://h:1");
    }

    #[test]
    fn refuses_what_is_no_address_of_a_server() {
        for text in [
            "",
            "h:1",
            "ftp://h",
            "unix:/x",
            "http://",
            "http://u:p@h",
            "http://h/?a",
            "http://h#a",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }
}
