//! Writing Parquet files.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use prevision_core::whole_file;

use crate::DataError;

/// The values of a column that is written.
#[derive(Clone, Debug)]
pub enum Values {
    /// Rows of so many numbers: a list in each row, or a number if it is one.
    Floats(Vec<f32>, usize),
    /// A whole number in each row.
    Integers(Vec<i64>),
    /// A number in each row.
    Doubles(Vec<f64>),
    /// A text in each row.
    Texts(Vec<String>),
    /// A list of texts in each row, none of them empty.
    TextLists(Vec<Vec<String>>),
}

/// Writes a file with these columns, whole or not at all. `metadata` is what stands beside them.
pub(crate) fn write(
    path: &Path,
    columns: &[(String, Values)],
    metadata: &[(&str, String)],
) -> std::result::Result<(), DataError> {
    whole_file::write_with(path, |partial| {
        write_file(File::create(partial)?, columns, metadata).map_err(std::io::Error::other)
    })
    .map_err(|error| DataError::io(path, error))
}

fn write_file(file: File, columns: &[(String, Values)], metadata: &[(&str, String)]) -> Result<()> {
    let mut writer = begin(file, columns, metadata)?;
    write_group(&mut writer, columns)?;
    writer.close()?;
    Ok(())
}

/// Begins a file with such columns; their values are not written yet.
pub(super) fn begin<W: Write + Send>(
    file: W,
    columns: &[(String, Values)],
    metadata: &[(&str, String)],
) -> Result<SerializedFileWriter<W>> {
    let fields = columns.iter().map(|(name, values)| values.field(name)).collect::<Result<_>>()?;
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?);
    let pairs = metadata.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone())).collect();
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(Some(pairs)).build();
    SerializedFileWriter::new(file, schema, Arc::new(properties))
}

/// Writes rows: the columns that the file was begun with, in their order.
pub(super) fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &[(String, Values)],
) -> Result<()> {
    let mut group = writer.next_row_group()?;
    for (name, values) in columns {
        let mut column =
            group.next_column()?.ok_or_else(|| ParquetError::General(format!("no place for column {name}")))?;
        values.write(&mut column)?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

impl Values {
    fn field(&self, name: &str) -> Result<TypePtr> {
        match self {
            Self::Floats(_, 1) => leaf(name, Physical::FLOAT),
            Self::Floats(..) => list(name, leaf("element", Physical::FLOAT)?),
            Self::Integers(_) => leaf(name, Physical::INT64),
            Self::Doubles(_) => leaf(name, Physical::DOUBLE),
            Self::Texts(_) => leaf(name, Physical::BYTE_ARRAY),
            Self::TextLists(_) => list(name, leaf("element", Physical::BYTE_ARRAY)?),
        }
    }

    /// Every value is there: it has the largest level of definition, 1 alone and 3 in a list.
    fn write(&self, column: &mut SerializedColumnWriter) -> Result<()> {
        let text = |texts: &[String]| texts.iter().map(|text| ByteArray::from(text.as_str())).collect::<Vec<_>>();
        let alone = |count: usize| vec![1; count];
        match self {
            Self::Floats(values, 1) => {
                column.typed::<FloatType>().write_batch(values, Some(&alone(values.len())), None)
            }
            Self::Floats(values, width) => {
                let begins: Vec<i16> = (0..values.len()).map(|place| i16::from(place % width != 0)).collect();
                column.typed::<FloatType>().write_batch(values, Some(&vec![3; values.len()]), Some(&begins))
            }
            Self::Integers(values) => column.typed::<Int64Type>().write_batch(values, Some(&alone(values.len())), None),
            Self::Doubles(values) => column.typed::<DoubleType>().write_batch(values, Some(&alone(values.len())), None),
            Self::Texts(texts) => {
                column.typed::<ByteArrayType>().write_batch(&text(texts), Some(&alone(texts.len())), None)
            }
            Self::TextLists(lists) => {
                let begins: Vec<i16> =
                    lists.iter().flat_map(|list| (0..list.len()).map(|place| i16::from(place > 0))).collect();
                let texts = text(&lists.concat());
                column.typed::<ByteArrayType>().write_batch(&texts, Some(&vec![3; texts.len()]), Some(&begins))
            }
        }?;
        Ok(())
    }
}

fn leaf(name: &str, physical: Physical) -> Result<TypePtr> {
    let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    let builder = if physical == Physical::BYTE_ARRAY {
        builder.with_converted_type(ConvertedType::UTF8).with_logical_type(Some(LogicalType::String))
    } else {
        builder
    };
    Ok(Arc::new(builder.build()?))
}

fn list(name: &str, element: TypePtr) -> Result<TypePtr> {
    let repeated =
        Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]).build()?;
    let list = Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(ConvertedType::LIST)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(repeated)])
        .build()?;
    Ok(Arc::new(list))
}

#[cfg(test)]
mod tests {
    use super::{Values, write};
    use crate::tables::{Numbers, ParquetTable};

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        let columns = [
            ("action".to_owned(), Values::Floats(vec![1.0, -2.5, 3.0, f32::MAX], 2)),
            ("a/b.c".to_owned(), Values::Integers(vec![7, 1 << 40])),
            ("start".to_owned(), Values::Doubles(vec![0.1, 0.2])),
            ("speed".to_owned(), Values::Floats(vec![0.5, 0.25], 1)),
            ("task".to_owned(), Values::Texts(vec!["a".into(), "b".into()])),
            ("tasks".to_owned(), Values::TextLists(vec![vec!["a".into(), "c".into()], vec!["b".into()]])),
        ];
        write(&path, &columns, &[("pandas", "{}".to_owned())]).unwrap();
        let table = ParquetTable::open(&path).unwrap();
        let numbers = |name| table.numbers(name).unwrap();
        assert_eq!(numbers("action"), Numbers { width: 2, values: vec![1.0, -2.5, 3.0, f64::from(f32::MAX)] });
        assert_eq!(numbers("a/b.c").counts().unwrap(), [7, 1 << 40]);
        assert_eq!((numbers("start").values, numbers("speed").values), (vec![0.1, 0.2], vec![0.5, 0.25]));
        assert_eq!(table.names()[4..], ["task", "tasks"]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
