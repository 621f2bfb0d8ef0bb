//! Writing Parquet files that are larger than memory.

use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use prevision_core::whole_file::WholeFile;

use super::write::{Values, begin, write_group};
use crate::DataError;

/// A Parquet file that is written in groups of rows. It appears whole or not at all: what is dropped before it is finished leaves nothing.
pub struct ParquetWriter {
    path: PathBuf,
    writer: SerializedFileWriter<WholeFile>,
}

impl ParquetWriter {
    /// Begins a file with the names and kinds of these columns, whose values are not looked at. `metadata` is what stands beside them.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(path: &Path, columns: &[(String, Values)], metadata: &[(&str, String)]) -> Result<Self, DataError> {
        let file = WholeFile::create(path).map_err(|error| DataError::io(path, error))?;
        let writer = begin(file, columns, metadata).map_err(|error| failed(path, error))?;
        Ok(Self { path: path.to_owned(), writer })
    }

    /// Writes rows: the columns that the file was begun with, in their order, as many rows of each. All of them are in memory at once.
    ///
    /// # Errors
    /// If columns differ in their rows, one is of another kind, or the file cannot be written.
    pub fn rows(&mut self, columns: &[(String, Values)]) -> Result<(), DataError> {
        write_group(&mut self.writer, columns).map_err(|error| failed(&self.path, error))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// If it cannot be written; what was there before is then still there.
    pub fn finish(self) -> Result<(), DataError> {
        let Self { path, writer } = self;
        let file = writer.into_inner().map_err(|error| failed(&path, error))?;
        file.keep().map_err(|error| DataError::io(&path, error))
    }
}

fn failed(path: &Path, error: ParquetError) -> DataError {
    DataError::io(path, io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::ParquetTable;

    #[test]
    fn groups_of_rows_are_one_table_and_a_part_of_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        let columns = |numbers: Vec<f32>, counts: Vec<i64>| {
            [("x".to_owned(), Values::Floats(numbers, 2)), ("n".to_owned(), Values::Integers(counts))]
        };
        let begin = || ParquetWriter::create(&path, &columns(Vec::new(), Vec::new()), &[("about", "{}".to_owned())]);
        let mut writer = begin().unwrap();
        writer.rows(&columns(vec![1.0, 2.0, 3.0, 4.0], vec![0, 1])).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut writer = begin().unwrap();
        writer.rows(&columns(vec![1.0, 2.0, 3.0, 4.0], vec![0, 1])).unwrap();
        writer.rows(&columns(vec![5.0, 6.0], vec![2])).unwrap();
        writer.finish().unwrap();
        let table = ParquetTable::open(&path).unwrap();
        assert_eq!(table.numbers("x").unwrap().values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(table.numbers("n").unwrap().counts().unwrap(), [0, 1, 2]);
        let mut writer = begin().unwrap();
        let message = writer.rows(&columns(vec![1.0, 2.0], vec![0, 1])).unwrap_err().to_string();
        assert!(message.contains("rows.parquet"), "{message}");
    }
}
