//! The numbers of a recording: numpy archives of its columns, and of the episodes' lengths and first rows.

use std::path::{Path, PathBuf};

use prevision_core::Array2;

use super::layout::{LENGTHS, OFFSETS, column_path, entries};
use crate::DataError;
use crate::convert::Recorded;
use crate::npz;
use crate::sources::episodes::names::own_columns;
use crate::tables::Numbers;

/// Episodes of the largest recording that is believed.
const MOST_EPISODES: usize = 1 << 26;

/// The archives in a folder.
#[derive(Clone, Debug)]
pub(in crate::sources::episodes) struct Archives {
    pub(in crate::sources::episodes) dir: PathBuf,
    /// Moments of each episode.
    pub(in crate::sources::episodes) lengths: Vec<usize>,
    /// First row of each episode in the files of the columns.
    stored_offsets: Vec<usize>,
}

impl Archives {
    /// Reads the lengths. `frames` is what the layout has beside the archives, for the message.
    ///
    /// # Errors
    /// If the folder, its `ep_len.npz` or its `ep_offset.npz` is missing or makes no sense.
    pub(in crate::sources::episodes) fn open(dir: &Path, frames: &str) -> Result<Self, DataError> {
        let metadata = std::fs::metadata(dir).map_err(|error| DataError::io(dir, error))?;
        if !metadata.is_dir() {
            return Err(DataError::format(dir, "is not a folder of recorded episodes"));
        }
        if !column_path(dir, LENGTHS).exists() {
            let message = format!(
                "has no ep_len.npz: not a (finished) recording in the layout ep_len.npz, ep_offset.npz, <column>.npz, {frames}"
            );
            return Err(DataError::format(dir, message));
        }
        let lengths = counts(&column_path(dir, LENGTHS))?;
        let stored_offsets = counts(&column_path(dir, OFFSETS))?;
        if lengths.is_empty() || lengths.len() != stored_offsets.len() {
            return Err(DataError::format(
                dir,
                format!(
                    "ep_len.npz has {} episodes and ep_offset.npz has {}; expected the same number, at least one",
                    lengths.len(),
                    stored_offsets.len()
                ),
            ));
        }
        if lengths.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length)).is_none() {
            return Err(DataError::format(column_path(dir, LENGTHS), "its lengths add up to more than can be counted"));
        }
        Ok(Self { dir: dir.into(), lengths, stored_offsets })
    }

    /// Names of the columns, sorted.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub(in crate::sources::episodes) fn columns(&self) -> Result<Vec<String>, DataError> {
        let names = entries(&self.dir)?
            .into_iter()
            .filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(".npz")?.to_owned()));
        Ok(names.filter(|name| name != LENGTHS && name != OFFSETS).collect())
    }

    /// A column, `[moments of all episodes, numbers in a row]`. Axes behind the second are flattened.
    ///
    /// # Errors
    /// If there is no such column, or it cannot be read.
    pub(in crate::sources::episodes) fn column(&self, name: &str) -> Result<Array2, DataError> {
        let path = column_path(&self.dir, name);
        if !path.is_file() {
            let there = self.columns()?;
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            return Err(DataError::format(&self.dir, format!("has no column `{name}`; columns here: {there}")));
        }
        let needed = |shape: &[usize]| self.needed_rows(shape.first().copied().unwrap_or(0));
        let array = npz::read(&path, needed, |value| value as f32)?;
        let rows = array.shape.first().copied().unwrap_or(0);
        let columns = array.data.len().checked_div(rows).unwrap_or(0);
        Ok(self.in_order(Array2::new(array.data, rows, columns)))
    }

    /// How many rows of an array of `rows` are needed, if the episodes are all in it and none shares a row with another one.
    fn needed_rows(&self, rows: usize) -> Result<usize, String> {
        // Counts are at most 2^53 each (see `counts`).
        let ends = || self.stored_offsets.iter().zip(&self.lengths).map(|(offset, length)| offset + length);
        if let Some((episode, end)) = ends().enumerate().find(|(_, end)| *end > rows) {
            let start = self.stored_offsets[episode];
            return Err(format!("has {rows} rows; episode {episode} needs rows {start}..{end}"));
        }
        let starts = self.stored_offsets.iter().copied();
        let mut spans: Vec<(usize, usize, usize)> =
            starts.zip(ends()).enumerate().map(|(episode, (start, end))| (start, end, episode)).collect();
        spans.retain(|(start, end, _)| start < end);
        spans.sort_unstable();
        if let Some([(_, _, one), (_, _, other)]) = spans.array_windows().find(|[(_, end, _), (next, ..)]| next < end) {
            let (one, other) = (one.min(other), one.max(other));
            return Err(format!("has rows that episodes {one} and {other} share, by ep_offset.npz"));
        }
        Ok(ends().max().unwrap_or(0))
    }

    /// The rows of all episodes back to back, from those of a file, which may leave some out or keep another order.
    fn in_order(&self, stored: Array2) -> Array2 {
        let total = self.lengths.iter().sum();
        let mut next = 0;
        let as_stored = self.stored_offsets.iter().zip(&self.lengths).all(|(&offset, &length)| {
            let fits = offset == next;
            next += length;
            fits
        });
        if as_stored && stored.rows == total {
            return stored;
        }
        let mut data = Vec::with_capacity(total * stored.columns);
        for (&offset, &length) in self.stored_offsets.iter().zip(&self.lengths) {
            data.extend_from_slice(&stored.data[offset * stored.columns..(offset + length) * stored.columns]);
        }
        Array2::new(data, total, stored.columns)
    }

    /// Writes the archives of a recording, the lengths last.
    ///
    /// # Errors
    /// If one cannot be written.
    pub(in crate::sources::episodes) fn write(dir: &Path, recorded: &Recorded) -> Result<(), DataError> {
        for (name, rows) in own_columns(recorded) {
            npz::write(&column_path(dir, name), &[rows.rows, rows.columns], &rows.data)?;
        }
        let episodes = recorded.offsets.len() - 1;
        let offsets: Vec<i64> = recorded.offsets[..episodes].iter().map(|&offset| offset as i64).collect();
        let lengths: Vec<i32> = recorded.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as i32).collect();
        npz::write(&column_path(dir, OFFSETS), &[episodes], &offsets)?;
        npz::write(&column_path(dir, LENGTHS), &[episodes], &lengths)
    }
}

/// An array of non-negative whole numbers.
fn counts(path: &Path) -> Result<Vec<usize>, DataError> {
    let one_each = |shape: &[usize]| match shape {
        [] => Err("is one number, expected one for each episode".to_owned()),
        [count, ..] if *count > MOST_EPISODES => Err(format!("has {count} episodes, expected at most {MOST_EPISODES}")),
        [count, ..] => Ok(*count),
    };
    let values = npz::read(path, one_each, |value| value)?.data;
    Numbers { width: 1, values }.counts().map_err(|message| DataError::format(path, message))
}
