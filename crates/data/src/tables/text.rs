//! Tables in text: CSV and TSV.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};

use super::Numbers;
use crate::DataError;

/// A header is not longer than this, bytes: what is none is not read on.
const HEADER: u64 = 1 << 20;

/// A table in text whose first line names the columns. Fields are separated by tabs if the file is a `.tsv`, else by commas, or by
/// semicolons where the first line has no comma; they may be quoted.
pub(crate) struct TextTable {
    path: PathBuf,
    separator: u8,
    /// Lines end with a carriage return too.
    returns: bool,
    names: Vec<String>,
}

impl TextTable {
    /// Opens a table. Only its first line is read.
    ///
    /// # Errors
    /// If it cannot be read, or its first line makes no sense.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let mut first = Vec::new();
        let read = BufReader::new(open(path)?.take(HEADER)).read_until(b'\n', &mut first);
        read.map_err(|error| DataError::io(path, error))?;
        let separator = match path.extension() {
            Some(extension) if extension == "tsv" => b'\t',
            _ if first.contains(&b';') && !first.contains(&b',') => b';',
            _ => b',',
        };
        let returns = first.ends_with(b"\r\n");
        let mut table = Self { path: path.to_owned(), separator, returns, names: vec![] };
        let names = table.reader(open(path)?.take(HEADER)).headers().cloned().map_err(|error| table.bad(&error))?;
        table.names = names.iter().map(str::to_owned).collect();
        Ok(table)
    }

    /// Names of the columns, in the file's order.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Tells each row with the number of its line, as many fields as there are names.
    ///
    /// # Errors
    /// If the table cannot be read, a line has another number of fields, or `each` refuses one.
    pub(crate) fn rows(&self, mut each: impl FnMut(&StringRecord, u64) -> Result<(), String>) -> Result<(), DataError> {
        let mut reader = self.reader(open(&self.path)?);
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| self.bad(&error))? {
            let line = self.line(record.position());
            each(&record, line).map_err(|message| self.in_line(line, message))?;
        }
        Ok(())
    }

    /// Some columns of numbers, by number, beside each other in every row.
    ///
    /// # Errors
    /// As [`TextTable::rows`], and if a field is no number.
    pub(crate) fn numbers(&self, columns: &[usize]) -> Result<Numbers, DataError> {
        let mut values = Vec::new();
        self.rows(|record, _| {
            for &column in columns {
                let text = record.get(column).unwrap_or_default();
                let value = number(text).ok_or_else(|| no_number(&self.names[column], text))?;
                values.push(value);
            }
            Ok(())
        })?;
        Ok(Numbers { width: columns.len(), values })
    }

    fn reader<R: Read>(&self, file: R) -> Reader<R> {
        ReaderBuilder::new().delimiter(self.separator).trim(Trim::All).from_reader(file)
    }

    /// The line in which a record begins. A record ends at its carriage return, so that the next one begins with the rest of the line.
    fn line(&self, position: Option<&csv::Position>) -> u64 {
        position.map_or(0, |position| position.line() + u64::from(self.returns && position.record() > 0))
    }

    fn bad(&self, error: &csv::Error) -> DataError {
        let line = self.line(error.position());
        match error.kind() {
            ErrorKind::Io(error) => DataError::io(&self.path, std::io::Error::new(error.kind(), error.to_string())),
            ErrorKind::UnequalLengths { expected_len, len, .. } => {
                self.in_line(line, format!("has {len} fields, the first line has {expected_len}"))
            }
            ErrorKind::Utf8 { .. } => self.in_line(line, "is not UTF-8".to_owned()),
            _ => DataError::format(&self.path, error.to_string()),
        }
    }

    fn in_line(&self, line: u64, message: String) -> DataError {
        DataError::format(&self.path, format!("line {line}: {message}"))
    }
}

fn open(path: &Path) -> Result<File, DataError> {
    File::open(path).map_err(|error| DataError::io(path, error))
}

/// The number that a field holds: as Rust and Python write numbers, `true` or `false`; NaN if it is empty.
pub(crate) fn number(text: &str) -> Option<f64> {
    match text {
        "" => Some(f64::NAN),
        "true" | "True" | "TRUE" => Some(1.0),
        "false" | "False" | "FALSE" => Some(0.0),
        _ => text.parse().ok(),
    }
}

/// What is wrong with a field.
pub(crate) fn no_number(name: &str, text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    format!("column `{name}` is {shown:?}, expected a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, text: &str) -> (tempfile::TempDir, Result<TextTable, DataError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let table = TextTable::open(&path);
        (folder, table)
    }

    #[test]
    fn separators_quotes_marks_and_ends_of_lines() {
        for (name, text) in [
            ("a.csv", "video,x,y\na b.mp4,1,2\nc.mp4,3,\n"),
            ("a.csv", "\u{feff}video,x,y\r\n\"a b.mp4\",1,2\r\nc.mp4,3,\r\n"),
            ("a.csv", "video; x; y\na b.mp4; 1.0; 2e0\nc.mp4;+3;nan"),
            ("a.tsv", "video\tx\ty\na b.mp4\t1\t2\nc.mp4\t3\t\n"),
            ("a.csv", "\"video\",\"x\",\"y\"\n\n\"a b.mp4\",true,2\n\nc.mp4,3,NaN\n"),
        ] {
            let (_folder, table) = self::table(name, text);
            let table = table.unwrap();
            assert_eq!(table.names(), ["video", "x", "y"], "{text:?}");
            let numbers = table.numbers(&[2, 1]).unwrap();
            assert_eq!((numbers.width, &numbers.values[..2]), (2, &[2.0, 1.0][..]), "{text:?}");
            assert!(numbers.values[2].is_nan() && numbers.values[3] == 3.0, "{text:?}");
            let mut videos = vec![];
            table
                .rows(|record, _| {
                    videos.push(record[0].to_owned());
                    Ok(())
                })
                .unwrap();
            assert_eq!(videos, ["a b.mp4", "c.mp4"]);
        }
    }

    #[test]
    fn lines_are_named() {
        for end in ["\n", "\r\n"] {
            let text = ["video,x", "\"a", "b.mp4\",1", "c.mp4,2", "d.mp4,wide"].join(end);
            let (_folder, table) = self::table("a.csv", &text);
            let table = table.unwrap();
            let mut lines = vec![];
            table
                .rows(|_, line| {
                    lines.push(line);
                    Ok(())
                })
                .unwrap();
            assert_eq!(lines, [2, 4, 5], "{end:?}");
            let message = table.numbers(&[1]).unwrap_err().to_string();
            assert!(message.contains("a.csv: line 5: column `x` is \"wide\", expected a number"), "{message}");
        }
        let (_folder, table) = self::table("a.csv", "video,x\na,1\nb,2,3\n");
        let message = table.unwrap().numbers(&[1]).unwrap_err().to_string();
        assert!(message.contains("a.csv: line 3: has 3 fields, the first line has 2"), "{message}");
    }
}
