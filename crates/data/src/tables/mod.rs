//! Tables of numbers in files.

mod numbers;
mod parquet;
mod write;

pub(crate) use numbers::Numbers;
pub(crate) use parquet::ParquetTable;
pub(crate) use write::{Values, write};
