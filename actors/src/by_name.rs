//! Kinds that are rows of a table and go by their names: in configuration, in the journal and where
//! two are compared.

/// Gives such a kind its lookup, equality and form in text. Beside it there have to be its table
/// `ALL`, and `name` in what it points to.
macro_rules! by_name {
    ($kind:ident, $what:literal) => {
        impl $kind {
            #[doc = concat!("The ", $what, " of that name.")]
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                ALL.iter().copied().find(|kind| kind.name() == name)
            }

            /// The name in configuration, on the command line and in the journal.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.0.name
            }
        }

        impl PartialEq for $kind {
            fn eq(&self, other: &Self) -> bool {
                self.name() == other.name()
            }
        }

        impl Eq for $kind {}

        impl std::fmt::Debug for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl serde::Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::named(&name).ok_or_else(|| {
                    serde::de::Error::custom(format!(concat!("there is no ", $what, " `{}`"), name))
                })
            }
        }
    };
}

pub(crate) use by_name;
