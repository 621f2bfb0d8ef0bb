//! Parquet files, column by column.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, TimestampType, Type as Physical};
use parquet::column::reader::{ColumnReader, get_typed_column_reader};
use parquet::data_type::{
    BoolType, ByteArray, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type,
};
use parquet::file::reader::{FileReader, SerializedFileReader};
use prevision_storage::is_address;

use super::Numbers;
use crate::DataError;
use crate::files::content;

/// Rows that are read at a time.
const BATCH: usize = 1 << 16;
/// Numbers of a column in one file, unless the caller knows how many there can be.
const MOST: usize = 1 << 28;

/// An open Parquet file; also in storage, by its address.
pub(crate) struct ParquetTable {
    path: PathBuf,
    reader: Box<dyn FileReader>,
    most: usize,
}

/// The values of a leaf of the schema, with what tells where rows begin and what is missing.
struct Leaf {
    values: Vec<f64>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

impl ParquetTable {
    /// Opens a file. Only its footer is read.
    ///
    /// # Errors
    /// If it cannot be read or is no Parquet file.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let bad =
            |error: parquet::errors::ParquetError| DataError::format(path, format!("not a Parquet file: {error}"));
        let reader: Box<dyn FileReader> = if is_address(path) {
            Box::new(SerializedFileReader::new(bytes::Bytes::from(content::read(path)?)).map_err(bad)?)
        } else {
            let file = File::open(path).map_err(|error| DataError::io(path, error))?;
            Box::new(SerializedFileReader::new(file).map_err(bad)?)
        };
        Ok(Self { path: path.to_owned(), reader, most: MOST })
    }

    /// The same file, of which no column can have more numbers: a few bytes can claim any number of equal ones.
    pub(crate) fn at_most(self, most: usize) -> Self {
        Self { most: most.min(MOST), ..self }
    }

    /// Names of the columns, in the file's order.
    pub(crate) fn names(&self) -> Vec<String> {
        let schema = self.reader.metadata().file_metadata().schema_descr().root_schema();
        schema.get_fields().iter().map(|field| field.name().to_owned()).collect()
    }

    /// A column of numbers: one in each row, or a list of the same length in each. What is missing is NaN.
    ///
    /// # Errors
    /// If there is no such column, it is not of numbers, it has too many of them or other rows than the file says, or its lists differ in
    /// length. Pages that carry a checksum are compared with it.
    pub(crate) fn numbers(&self, name: &str) -> Result<Numbers, DataError> {
        let (leaf, optional, levels) = self.leaf(name)?;
        let claimed = self.claimed(leaf).map_err(|error| self.bad(name, error))?;
        if claimed > self.most {
            return Err(self.bad(name, format!("claims {claimed} numbers, expected at most {}", self.most)));
        }
        let (mut all, mut starts) = (Vec::new(), Vec::new());
        for group in 0..self.reader.num_row_groups() {
            let reader = self.reader.get_row_group(group).and_then(|group| group.get_column_reader(leaf));
            let reader = reader.map_err(|error| self.bad(name, error))?;
            let read = match reader {
                ColumnReader::BoolColumnReader(_) => values::<BoolType>(reader, |value| f64::from(u8::from(*value))),
                ColumnReader::Int32ColumnReader(_) => values::<Int32Type>(reader, |value| f64::from(*value)),
                ColumnReader::Int64ColumnReader(_) => values::<Int64Type>(reader, |value| *value as f64),
                ColumnReader::FloatColumnReader(_) => values::<FloatType>(reader, |value| f64::from(*value)),
                ColumnReader::DoubleColumnReader(_) => values::<DoubleType>(reader, |value| *value),
                ColumnReader::FixedLenByteArrayColumnReader(_) => {
                    values::<FixedLenByteArrayType>(reader, |value| match value.data() {
                        &[low, high] => f64::from(npyz::half::f16::from_le_bytes([low, high])),
                        _ => f64::NAN,
                    })
                }
                _ => return Err(self.bad(name, "it holds no numbers")),
            };
            let read = read.map_err(|error| self.bad(name, error))?;
            place(read, levels, optional, &mut all, &mut starts);
        }
        let rows = self.reader.metadata().file_metadata().num_rows();
        if i64::try_from(starts.len()) != Ok(rows) {
            return Err(self.bad(name, format!("has {} rows, the file says {rows}", starts.len())));
        }
        Numbers::from_rows(all, &starts).map_err(|message| self.bad(name, message))
    }

    /// Tells the text in each row of a column; `None` where it is missing.
    ///
    /// # Errors
    /// If there is no such column, it is not of texts, or `each` refuses one.
    pub(crate) fn texts(
        &self,
        name: &str,
        mut each: impl FnMut(Option<&str>) -> Result<(), String>,
    ) -> Result<(), DataError> {
        let (leaf, _, (defined, repeated)) = self.leaf(name)?;
        let (mut definition, mut raw) = (Vec::new(), Vec::new());
        for group in 0..self.reader.num_row_groups() {
            let reader = self.reader.get_row_group(group).and_then(|group| group.get_column_reader(leaf));
            let reader = reader.map_err(|error| self.bad(name, error))?;
            let (ColumnReader::ByteArrayColumnReader(mut reader), 0) = (reader, repeated) else {
                return Err(self.bad(name, "it holds no texts"));
            };
            loop {
                definition.clear();
                raw.clear();
                let read = reader.read_records(BATCH, Some(&mut definition), None, &mut raw);
                let (records, _, _) = read.map_err(|error| self.bad(name, error))?;
                if records == 0 {
                    break;
                }
                let mut texts = raw.iter();
                for row in 0..records {
                    let there = defined == 0 || definition.get(row) == Some(&defined);
                    let text = if there { texts.next().map(ByteArray::as_utf8).transpose() } else { Ok(None) };
                    each(text.map_err(|error| self.bad(name, error))?).map_err(|message| self.bad(name, message))?;
                }
            }
        }
        Ok(())
    }

    /// Tells the pictures in some rows of a column, ascending: its part `bytes`. Only pages with such rows are read.
    ///
    /// # Errors
    /// If there is no such column, it has no bytes in one of these rows, or `each` refuses them.
    pub(crate) fn pictures(
        &self,
        name: &str,
        rows: &[usize],
        mut each: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), DataError> {
        let metadata = self.reader.metadata();
        let columns = metadata.file_metadata().schema_descr().columns();
        let leaf = columns.iter().position(|column| column.path().parts() == [name, "bytes"]);
        let leaf =
            leaf.ok_or_else(|| self.bad(name, "it holds no pictures, expected `bytes` and `path` in each row"))?;
        let defined = columns[leaf].max_def_level();
        let (mut wanted, mut first) = (rows.iter().copied().peekable(), 0);
        for (group, told) in metadata.row_groups().iter().enumerate() {
            let end = first + usize::try_from(told.num_rows()).unwrap_or(0);
            if wanted.peek().is_some_and(|row| *row < end) {
                let reader = self.reader.get_row_group(group).and_then(|group| group.get_column_reader(leaf));
                let ColumnReader::ByteArrayColumnReader(mut reader) = reader.map_err(|error| self.bad(name, error))?
                else {
                    return Err(self.bad(name, "its `bytes` are none"));
                };
                let mut at = first;
                while let Some(row) = wanted.next_if(|row| *row < end) {
                    let (mut definition, mut raw) = (Vec::new(), Vec::new());
                    let read = reader
                        .skip_records(row - at)
                        .and_then(|_| reader.read_records(1, Some(&mut definition), None, &mut raw));
                    read.map_err(|error| self.bad(name, error))?;
                    let there = defined == 0 || definition.first() == Some(&defined);
                    let bytes = raw.first().filter(|_| there).map(ByteArray::data);
                    let bytes = bytes.ok_or_else(|| self.bad(name, format!("it has no picture in row {row}")))?;
                    each(bytes).map_err(|message| self.bad(name, format!("the picture in row {row}: {message}")))?;
                    at = row + 1;
                }
            }
            first = end;
        }
        match wanted.next() {
            Some(row) => Err(self.bad(name, format!("has {first} rows, row {row} is needed"))),
            None => Ok(()),
        }
    }

    /// Whether a column is of numbers: not of texts, points in time, or what is made of several columns.
    pub(crate) fn is_numeric(&self, name: &str) -> bool {
        let Ok(column) =
            self.leaf(name).map(|(leaf, ..)| self.reader.metadata().file_metadata().schema_descr().column(leaf))
        else {
            return false;
        };
        let plain = matches!(
            column.logical_type_ref(),
            None | Some(LogicalType::Integer(_) | LogicalType::Float16 | LogicalType::Unknown)
        );
        let other = matches!(
            column.converted_type(),
            ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS | ConvertedType::DECIMAL
        );
        let kept = match column.physical_type() {
            Physical::INT96 | Physical::BYTE_ARRAY => false,
            Physical::FIXED_LEN_BYTE_ARRAY => column.type_length() == 2,
            _ => true,
        };
        plain && kept && !other
    }

    /// A column of times, seconds: numbers as they are, points in time since 1970.
    ///
    /// # Errors
    /// If there is no such column, or it holds neither.
    pub(crate) fn seconds(&self, name: &str) -> Result<Vec<f64>, DataError> {
        let (leaf, ..) = self.leaf(name)?;
        let column = self.reader.metadata().file_metadata().schema_descr().column(leaf);
        let in_second = match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Timestamp(TimestampType { unit: TimeUnit::NANOS, .. })), _) => 1e9,
            (Some(LogicalType::Timestamp(TimestampType { unit: TimeUnit::MICROS, .. })), _)
            | (None, ConvertedType::TIMESTAMP_MICROS) => 1e6,
            (Some(LogicalType::Timestamp(TimestampType { unit: TimeUnit::MILLIS, .. })), _)
            | (None, ConvertedType::TIMESTAMP_MILLIS) => 1e3,
            _ if self.is_numeric(name) => 1.0,
            _ => return Err(self.bad(name, "it holds no times, expected numbers of seconds or points in time")),
        };
        let numbers = self.numbers(name)?;
        if numbers.width > 1 {
            return Err(self.bad(name, format!("it has {} numbers in a row, expected one", numbers.width)));
        }
        Ok(numbers.values.into_iter().map(|value| value / in_second).collect())
    }

    /// How many numbers, or lists without one, the pages of a leaf claim to hold, or the footer if that is more.
    fn claimed(&self, leaf: usize) -> parquet::errors::Result<usize> {
        let mut claimed = 0_usize;
        for group in 0..self.reader.num_row_groups() {
            let reader = self.reader.get_row_group(group)?;
            let mut pages = reader.get_column_page_reader(leaf)?;
            let mut of_pages = 0_usize;
            while let Some(page) = pages.peek_next_page()? {
                of_pages = of_pages.saturating_add(page.num_levels.or(page.num_rows).unwrap_or(0));
                pages.skip_next_page()?;
            }
            let of_group = usize::try_from(reader.metadata().column(leaf).num_values()).unwrap_or(usize::MAX);
            claimed = claimed.saturating_add(of_pages.max(of_group));
        }
        Ok(claimed)
    }

    /// The one leaf of a column, whether its values may be missing, and its largest levels of definition and repetition.
    fn leaf(&self, name: &str) -> Result<(usize, bool, (i16, i16)), DataError> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let mut leaves = schema
            .columns()
            .iter()
            .enumerate()
            .filter(|(_, column)| column.path().parts().first().is_some_and(|first| first == name));
        let Some((number, column)) = leaves.next() else {
            let message = format!("has no column `{name}`; columns here: {}", self.names().join(", "));
            return Err(DataError::format(&self.path, message));
        };
        if leaves.next().is_some() {
            return Err(self.bad(name, "it is made of several columns"));
        }
        let optional = column.self_type().get_basic_info().repetition() == Repetition::OPTIONAL;
        Ok((number, optional, (column.max_def_level(), column.max_rep_level())))
    }

    fn bad(&self, name: &str, message: impl std::fmt::Display) -> DataError {
        DataError::format(&self.path, format!("column `{name}`: {message}"))
    }
}

/// All values of a column in one group of rows.
fn values<T: DataType>(reader: ColumnReader, convert: impl Fn(&T::T) -> f64) -> parquet::errors::Result<Leaf> {
    let mut reader = get_typed_column_reader::<T>(reader);
    let (mut definition, mut repetition) = (Vec::new(), Vec::new());
    let (mut raw, mut values) = (Vec::new(), Vec::new());
    loop {
        raw.clear();
        let (records, _, _) = reader.read_records(BATCH, Some(&mut definition), Some(&mut repetition), &mut raw)?;
        values.extend(raw.iter().map(&convert));
        if records == 0 {
            return Ok(Leaf { values, definition, repetition });
        }
    }
}

/// Appends the values of a leaf and the places at which its rows begin. The levels are its largest ones of definition and repetition.
/// NaN stands where a value may be missing and is.
fn place(leaf: Leaf, (defined, repeated): (i16, i16), optional: bool, all: &mut Vec<f64>, starts: &mut Vec<usize>) {
    if defined == 0 {
        starts.extend((0..leaf.values.len()).map(|row| all.len() + row));
        all.extend(leaf.values);
        return;
    }
    let mut values = leaf.values.into_iter();
    for (number, &definition) in leaf.definition.iter().enumerate() {
        if repeated == 0 || leaf.repetition.get(number) == Some(&0) {
            starts.push(all.len());
        }
        if definition == defined {
            all.extend(values.next());
        } else if optional && definition == defined - 1 {
            all.push(f64::NAN);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::ByteArrayType;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// Three rows: a required and an optional number, a list of two floats, texts.
    fn write(path: &Path) {
        let schema = "message rows {
            required int64 index;
            optional double speed;
            optional group action (LIST) { repeated group list { optional float element; } }
            optional group tasks (LIST) { repeated group list { optional binary element (UTF8); } }
        }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut next = group.next_column().unwrap().unwrap();
        next.typed::<Int64Type>().write_batch(&[7, 8, 9], None, None).unwrap();
        next.close().unwrap();
        let mut next = group.next_column().unwrap().unwrap();
        next.typed::<DoubleType>().write_batch(&[0.5, 1.5], Some(&[1, 0, 1]), None).unwrap();
        next.close().unwrap();
        let mut next = group.next_column().unwrap().unwrap();
        let values = [1.0, 2.0, 3.0, 5.0, 6.0];
        next.typed::<FloatType>().write_batch(&values, Some(&[3, 3, 3, 2, 3, 3]), Some(&[0, 1, 0, 1, 0, 1])).unwrap();
        next.close().unwrap();
        let mut next = group.next_column().unwrap().unwrap();
        next.typed::<ByteArrayType>()
            .write_batch(&["push".into(), "a".into(), "b".into()], Some(&[3, 1, 3, 3]), Some(&[0, 0, 0, 1]))
            .unwrap();
        next.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn numbers_lists_and_texts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        write(&path);
        let table = ParquetTable::open(&path).unwrap();
        assert_eq!(table.names(), ["index", "speed", "action", "tasks"]);
        assert_eq!(table.numbers("index").unwrap(), Numbers { width: 1, values: vec![7.0, 8.0, 9.0] });
        let speed = table.numbers("speed").unwrap();
        assert_eq!((speed.values[0], speed.values[2]), (0.5, 1.5));
        assert!(speed.values[1].is_nan());
        let action = table.numbers("action").unwrap();
        assert_eq!((action.width, action.values.len()), (2, 6));
        assert!(action.values[3].is_nan());
        assert_eq!(action.values[4..], [5.0, 6.0]);
        let message = table.numbers("tasks").unwrap_err().to_string();
        assert!(message.contains("rows.parquet: column `tasks`: it holds no numbers"), "{message}");
        let message = table.numbers("state").unwrap_err().to_string();
        assert!(message.contains("no column `state`; columns here: index, speed"), "{message}");
        std::fs::write(&path, "not a table").unwrap();
        let message = ParquetTable::open(&path).err().unwrap().to_string();
        assert!(message.contains("rows.parquet: not a Parquet file"), "{message}");
    }

    /// A million values that are missing, in a few bytes.
    fn write_many(path: &Path) {
        let schema = Arc::new(parse_message_type("message rows { optional double speed; }").unwrap());
        let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut next = group.next_column().unwrap().unwrap();
        next.typed::<DoubleType>().write_batch(&[], Some(&vec![0; 1 << 20]), None).unwrap();
        next.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn absurd_claims_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        write_many(&path);
        assert!(std::fs::metadata(&path).unwrap().len() < 4000);
        assert_eq!(ParquetTable::open(&path).unwrap().numbers("speed").unwrap().values.len(), 1 << 20);
        let message = ParquetTable::open(&path).unwrap().at_most(12).numbers("speed").unwrap_err().to_string();
        assert!(
            message.contains("rows.parquet: column `speed`: claims 1048576 numbers, expected at most 12"),
            "{message}"
        );
        // A footer that says one row more: its third field, in the encoding of Thrift.
        let mut bytes = std::fs::read(&path).unwrap();
        let length = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize;
        let footer = bytes.len() - 8 - length;
        let rows = bytes[footer..].windows(5).position(|field| field == [0x16, 0x80, 0x80, 0x80, 0x01]).unwrap();
        bytes[footer + rows + 1] = 0x82;
        std::fs::write(&path, bytes).unwrap();
        let message = ParquetTable::open(&path).unwrap().numbers("speed").err().unwrap().to_string();
        assert!(message.contains("has 1048576 rows, the file says 1048577"), "{message}");
    }
}
