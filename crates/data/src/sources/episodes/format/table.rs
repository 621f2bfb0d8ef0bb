//! Videos with a table.

use std::path::Path;

use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::table::{Table, TableSink};

/// Videos, and one CSV, TSV or Parquet file of what belongs to their frames.
pub(super) struct TableFormat;

impl EpisodeFormat for TableFormat {
    fn name(&self) -> &'static str {
        "table"
    }

    fn detect(&self, at: &Path) -> bool {
        Table::is_there(at)
    }

    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Ok(Box::new(Table::open(at)?))
    }

    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Ok(Box::new(TableSink::new(at, recorded)?))
    }
}
