//! One Parquet file, written a group of rows at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use serde_json::Value;

/// A group is written when it has so many rows,
const GROUP_ROWS: usize = 100_000;
/// or so many bytes.
const GROUP_BYTES: usize = 16 << 20;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Double,
    Bool,
    /// A text, or anything else as JSON.
    Text,
}

/// The values of a column that are not null, and for every row whether there is one.
#[derive(Debug)]
struct Column {
    values: Values,
    there: Vec<i16>,
}

#[derive(Debug)]
enum Values {
    Int(Vec<i64>),
    Double(Vec<f64>),
    Bool(Vec<bool>),
    Text(Vec<ByteArray>),
}

/// A file that takes rows.
pub(super) struct Table {
    writer: SerializedFileWriter<File>,
    columns: Vec<Column>,
    waiting: usize,
    bytes: usize,
    rows: u64,
    /// Those of its columns that are measures.
    pub(super) measures: Arc<BTreeSet<String>>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Table {
    /// Makes a file of a table.
    pub(super) fn create(path: &Path, name: &str, columns: &[(&str, Kind)]) -> Result<Self> {
        let fields = columns.iter().map(|(name, kind)| kind.field(name)).collect::<Result<_>>()?;
        let schema = Type::group_type_builder(name).with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("sn1 {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer =
            SerializedFileWriter::new(File::create(path)?, Arc::new(schema), Arc::new(properties))?;
        let columns = columns.iter().map(|(_, kind)| Column::new(*kind)).collect();
        Ok(Self { writer, columns, waiting: 0, bytes: 0, rows: 0, measures: Arc::default() })
    }

    /// Says which of its columns are measures.
    pub(super) fn with_measures(mut self, measures: &BTreeSet<String>) -> Self {
        self.measures = Arc::new(measures.clone());
        self
    }

    /// Adds a row with a value for each column, in their order. One of another kind than its
    /// column's is null.
    pub(super) fn row(&mut self, row: &[&Value]) -> Result<()> {
        let null = Value::Null;
        for (at, column) in self.columns.iter_mut().enumerate() {
            self.bytes += column.push(row.get(at).unwrap_or(&&null));
        }
        (self.waiting, self.rows) = (self.waiting + 1, self.rows + 1);
        if self.waiting >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    /// Completes the file; how many rows it has.
    pub(super) fn close(mut self) -> Result<u64> {
        self.write_group()?;
        self.writer.close()?;
        Ok(self.rows)
    }

    fn write_group(&mut self) -> Result<()> {
        if self.waiting == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            if let Some(writer) = group.next_column()? {
                column.write(writer)?;
            }
        }
        group.close()?;
        (self.waiting, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Kind {
    fn field(self, name: &str) -> Result<Arc<Type>> {
        let (physical, logical) = match self {
            Self::Int => (Physical::INT64, None),
            Self::Double => (Physical::DOUBLE, None),
            Self::Bool => (Physical::BOOLEAN, None),
            Self::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        field.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
    }
}

impl Column {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Int => Values::Int(Vec::new()),
            Kind::Double => Values::Double(Vec::new()),
            Kind::Bool => Values::Bool(Vec::new()),
            Kind::Text => Values::Text(Vec::new()),
        };
        Self { values, there: Vec::new() }
    }

    /// Adds a value; the bytes that it takes in memory, about.
    fn push(&mut self, value: &Value) -> usize {
        let mut bytes = 10;
        let there = match &mut self.values {
            Values::Int(values) => value.as_i64().map(|value| values.push(value)),
            Values::Double(values) => value.as_f64().map(|value| values.push(value)),
            Values::Bool(values) => value.as_bool().map(|value| values.push(value)),
            Values::Text(values) => text(value).map(|text| {
                bytes += text.len() + size_of::<ByteArray>();
                values.push(text);
            }),
        };
        self.there.push(i16::from(there.is_some()));
        bytes
    }

    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let there = Some(self.there.as_slice());
        match &mut self.values {
            Values::Int(values) => {
                writer.typed::<Int64Type>().write_batch(values, there, None)?;
                values.clear();
            }
            Values::Double(values) => {
                writer.typed::<DoubleType>().write_batch(values, there, None)?;
                values.clear();
            }
            Values::Bool(values) => {
                writer.typed::<BoolType>().write_batch(values, there, None)?;
                values.clear();
            }
            Values::Text(values) => {
                writer.typed::<ByteArrayType>().write_batch(values, there, None)?;
                values.clear();
            }
        }
        self.there.clear();
        writer.close()
    }
}

fn text(value: &Value) -> Option<ByteArray> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(ByteArray::from(text.as_str())),
        other => Some(ByteArray::from(other.to_string().into_bytes())),
    }
}
