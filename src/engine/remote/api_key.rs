//! The key that servers ask for.

use std::fmt;

use reqwest::header::HeaderValue;

/// A key and the environment variable that it came from. Its `Debug` shows the variable only.
#[derive(Clone)]
pub struct ApiKey {
    variable: String,
    key: String,
    header: HeaderValue,
}

/// The key holds characters that no key has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} holds characters that no key has")]
pub struct BadKey(String);

impl ApiKey {
    /// The key that `variable` holds; blanks around it are dropped.
    ///
    /// # Errors
    /// [`BadKey`] where it cannot be sent in a header.
    pub fn new(variable: impl Into<String>, key: &str) -> Result<Self, BadKey> {
        let (variable, key) = (variable.into(), key.trim().to_owned());
        match HeaderValue::from_str(&format!("Bearer {key}")) {
            Ok(mut header) => {
                header.set_sensitive(true);
                Ok(Self { variable, key, header })
            }
            Err(_) => Err(BadKey(variable)),
        }
    }

    pub(super) fn variable(&self) -> &str {
        &self.variable
    }

    /// The key itself, for servers that want it elsewhere.
    pub(crate) fn reveal(&self) -> &str {
        &self.key
    }

    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey(hidden, from {})", self.variable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_shown() {
        let key = ApiKey::new("MY_KEY", " sk-secret\n").unwrap();
        assert_eq!(key.header().to_str().unwrap(), "Bearer sk-secret");
        assert_eq!(format!("{key:?}"), "ApiKey(hidden, from MY_KEY)");
        let error = ApiKey::new("MY_KEY", "sk-\u{0}secret").unwrap_err().to_string();
        assert!(error.contains("MY_KEY") && !error.contains("secret"), "{error}");
    }
}
