//! Tables of numbers in files.

mod groups;
mod numbers;
mod parquet;
mod text;
mod write;

pub use groups::ParquetWriter;
pub(crate) use numbers::Numbers;
pub(crate) use parquet::ParquetTable;
pub(crate) use text::{TextTable, no_number, number};
pub use write::Values;
pub(crate) use write::write;
