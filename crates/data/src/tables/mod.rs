//! Tables of numbers in files.

mod numbers;
mod parquet;

pub(crate) use numbers::Numbers;
pub(crate) use parquet::ParquetTable;
