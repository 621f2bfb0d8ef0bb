//! Tables of numbers in files.

mod numbers;
mod parquet;
mod text;
mod write;

pub(crate) use numbers::Numbers;
pub(crate) use parquet::ParquetTable;
pub(crate) use text::{TextTable, no_number, number};
pub(crate) use write::{Values, write};
