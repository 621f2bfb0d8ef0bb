//! The table's file: CSV, TSV or Parquet.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::header::Header;
use super::options::Align;
use crate::DataError;
use crate::tables::{Numbers, ParquetTable, TextTable, no_number, number};

/// A file of columns. Only its first line or footer is held.
pub(super) enum TableFile {
    Text(TextTable),
    Parquet { path: PathBuf, names: Vec<String> },
}

/// Where each row of a table belongs.
#[derive(Default)]
pub(super) struct Keys {
    /// The files that are named, and the first row that does.
    pub(super) files: Vec<(String, usize)>,
    /// Per camera the number of the file in each row.
    pub(super) cameras: Vec<Vec<u32>>,
    /// The frame or time of each row.
    pub(super) places: Vec<f64>,
    /// In each row the time of its video's first frame; empty if it is not told.
    pub(super) starts: Vec<f64>,
    /// Columns that are not of numbers, and what was found in them.
    pub(super) texts: BTreeMap<usize, String>,
    /// Lines of the rows in a file of text.
    lines: Vec<u64>,
    numbers: HashMap<String, u32>,
}

impl TableFile {
    /// Whether a file is a table, by its name.
    pub(super) fn is_table(path: &Path) -> bool {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        extension.is_some_and(|extension| ["csv", "tsv", "parquet"].contains(&extension.as_str()))
    }

    /// Opens a file by its extension.
    ///
    /// # Errors
    /// If it cannot be read or is no table.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet")) {
            let names = ParquetTable::open(path)?.names();
            return Ok(Self::Parquet { path: path.to_owned(), names });
        }
        Ok(Self::Text(TextTable::open(path)?))
    }

    /// Names of the columns, in order.
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Text(table) => table.names(),
            Self::Parquet { names, .. } => names,
        }
    }

    /// Reads where each row belongs.
    ///
    /// # Errors
    /// If the file cannot be read, or a row names no file, frame or time.
    pub(super) fn keys(&self, header: &Header, (align, place): (Align, usize)) -> Result<Keys, DataError> {
        let mut keys = Keys { cameras: vec![vec![]; header.cameras.len()], ..Keys::default() };
        // Where rows are placed by frame there is no clock.
        let start = header.start.filter(|_| align == Align::Time);
        match self {
            Self::Text(table) => {
                let values: Vec<usize> = places_of(&header.values()).collect();
                table.rows(|record, line| {
                    let number_in = |column: usize| {
                        let text = record.get(column).unwrap_or_default();
                        number(text).ok_or_else(|| no_number(header.name(column), text))
                    };
                    for (camera, (_, column)) in header.cameras.iter().enumerate() {
                        keys.add_file(camera, record.get(*column), header.name(*column))?;
                    }
                    keys.places.push(checked(number_in(place)?, align, header.name(place))?);
                    if let Some(start) = start {
                        keys.starts.push(checked(number_in(start)?, Align::Time, header.name(start))?);
                    }
                    for &column in &values {
                        let text = record.get(column).unwrap_or_default();
                        if !keys.texts.contains_key(&column) && number(text).is_none() {
                            keys.texts.insert(column, format!("line {line}: {}", no_number(header.name(column), text)));
                        }
                    }
                    keys.lines.push(line);
                    Ok(())
                })?;
            }
            Self::Parquet { path, .. } => {
                let table = ParquetTable::open(path)?;
                for (camera, (_, column)) in header.cameras.iter().enumerate() {
                    let name = header.name(*column);
                    table.texts(name, |text| keys.add_file(camera, text, name))?;
                }
                let column = |column: usize, align| -> Result<Vec<f64>, DataError> {
                    let seconds = table.seconds(header.name(column))?;
                    let checked = |(row, value)| {
                        let checked = checked(value, align, header.name(column));
                        checked.map_err(|message| DataError::format(path, format!("row {row}: {message}")))
                    };
                    seconds.into_iter().enumerate().map(checked).collect()
                };
                keys.places = column(place, align)?;
                keys.starts = start.map_or(Ok(vec![]), |start| column(start, Align::Time))?;
                let rows = keys.places.len();
                if keys.cameras.iter().any(|files| files.len() != rows)
                    || !(keys.starts.is_empty() || keys.starts.len() == rows)
                {
                    return Err(DataError::format(path, "has columns of different lengths"));
                }
                for place in places_of(&header.values()).filter(|&place| !table.is_numeric(header.name(place))) {
                    keys.texts.insert(place, format!("column `{}` is not of numbers", header.name(place)));
                }
            }
        }
        Ok(keys)
    }

    /// Some columns of numbers, by number, beside each other in every row.
    ///
    /// # Errors
    /// If they cannot be read or are not of numbers.
    pub(super) fn numbers(&self, columns: &[usize]) -> Result<Numbers, DataError> {
        let (path, names) = match self {
            Self::Text(table) => return table.numbers(columns),
            Self::Parquet { path, names } => (path, names),
        };
        let table = ParquetTable::open(path)?;
        let parts = columns.iter().map(|&column| table.numbers(&names[column])).collect::<Result<Vec<_>, _>>()?;
        if let [part] = &parts[..] {
            return Ok(part.clone());
        }
        let rows = parts.iter().map(|part| part.values.len().checked_div(part.width).unwrap_or(0)).min().unwrap_or(0);
        let row =
            |row: usize| parts.iter().flat_map(move |part| &part.values[row * part.width..(row + 1) * part.width]);
        let values = (0..rows).flat_map(row).copied().collect();
        Ok(Numbers { width: parts.iter().map(|part| part.width).sum(), values })
    }
}

impl Keys {
    /// Where a row is in the file.
    pub(super) fn told(&self, row: usize) -> String {
        self.lines.get(row).map_or_else(|| format!("row {row}"), |line| format!("line {line}"))
    }

    /// Notes the file of a camera in the next row.
    fn add_file(&mut self, camera: usize, name: Option<&str>, column: &str) -> Result<(), String> {
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| format!("column `{column}` is empty, expected the file of a video"))?;
        let number = if let Some(number) = self.numbers.get(name) {
            *number
        } else {
            let number = u32::try_from(self.files.len()).map_err(|_| "too many videos".to_owned())?;
            self.files.push((name.to_owned(), self.cameras[camera].len()));
            self.numbers.insert(name.to_owned(), number);
            number
        };
        self.cameras[camera].push(number);
        Ok(())
    }
}

/// The numbers of the columns that hold values.
fn places_of<'a>(values: &'a [Option<&str>]) -> impl Iterator<Item = usize> + 'a {
    values.iter().enumerate().filter_map(|(place, name)| name.map(|_| place))
}

/// A frame or a time, if it can be one.
fn checked(value: f64, align: Align, name: &str) -> Result<f64, String> {
    let (valid, expected) = match align {
        // Up to there floats tell whole numbers apart.
        Align::Frame => (value.fract() == 0.0 && (0.0..9e15).contains(&value), "a whole number from 0 up"),
        Align::Time => (value.is_finite(), "seconds"),
    };
    if valid { Ok(value) } else { Err(format!("column `{name}` is {value}, expected {expected}")) }
}
