//! What stands for the tables in a build without the feature `parquet`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::ExportError;

/// There are none.
#[derive(Debug)]
pub enum Tables {}

impl Tables {
    /// Refuses.
    ///
    /// # Errors
    /// Always [`ExportError::NotBuilt`].
    pub fn begin(_target: &Path, _force: bool) -> Result<Self, ExportError> {
        Err(ExportError::NotBuilt)
    }

    /// Nobody calls it.
    pub fn learn(&mut self, _line: &[u8]) {
        match *self {}
    }

    /// Nobody calls it.
    ///
    /// # Errors
    /// Never.
    pub fn take(&mut self, _line: &Map<String, Value>) -> Result<(), ExportError> {
        match *self {}
    }

    /// Nobody calls it.
    ///
    /// # Errors
    /// Never.
    pub fn keep(self) -> Result<BTreeMap<&'static str, u64>, ExportError> {
        match self {}
    }
}
