//! A table of moments, with a picture in each.

use std::path::Path;
use std::sync::Arc;

use prevision_core::{Array2, FrameBuffer};

use super::table::{Table, is_bytes};
use super::{EPISODE, STEP, numbers, place};
use crate::DataError;
use crate::pixels::decode_picture;
use crate::sources::episodes::pictures::pictures;
use crate::sources::episodes::{EpisodeFrames, EpisodeSource};

/// An open table. The cameras are its columns of bytes, the columns those of numbers; texts are left out.
pub(in crate::sources::episodes) struct Lance {
    table: Arc<Table>,
    /// First row of each episode, and the number of all rows.
    offsets: Vec<usize>,
    /// What each episode is called in the table.
    numbers: Vec<f32>,
}

impl Lance {
    /// Opens a table. Only its list of files and the numbers of its episodes are read.
    ///
    /// # Errors
    /// If there is no table, it uses what is not read, or its rows are not in the order of episodes and moments.
    pub(in crate::sources::episodes) fn open(at: &Path) -> Result<Self, DataError> {
        Self::of(Table::open(&place::table(at)?)?)
    }

    /// The moments in a table.
    pub(super) fn of(table: Arc<Table>) -> Result<Self, DataError> {
        let episodes = numbers::read(&table, EPISODE)?;
        let steps = if table.has(STEP) { Some(numbers::read(&table, STEP)?) } else { None };
        let bad = |message: String| Err(DataError::format(table.dir(), message));
        let mut offsets = Vec::new();
        for row in 0..episodes.rows {
            let (now, before) = (episodes.row(row)[0], row.checked_sub(1).map(|before| episodes.row(before)[0]));
            if before.is_none_or(|before| now > before) {
                offsets.push(row);
            } else if before != Some(now) {
                return bad(format!(
                    "`{EPISODE}` is {now} in row {row} behind {before:?}, expected whole episodes in order"
                ));
            } else if let Some(steps) = &steps
                && steps.row(row)[0] != steps.row(row - 1)[0] + 1.0
            {
                let (now, before) = (steps.row(row)[0], steps.row(row - 1)[0]);
                return bad(format!("`{STEP}` is {now} in row {row} behind {before}, expected one more"));
            }
        }
        if offsets.is_empty() {
            return bad("has no rows".to_owned());
        }
        offsets.push(episodes.rows);
        let numbers = offsets.iter().filter(|row| **row < episodes.rows).map(|row| episodes.row(*row)[0]).collect();
        Ok(Self { table, offsets, numbers })
    }

    /// What each episode is called in the table.
    pub(super) fn numbers(&self) -> &[f32] {
        &self.numbers
    }
}

impl EpisodeSource for Lance {
    fn episodes(&self) -> usize {
        self.offsets.len() - 1
    }

    fn length(&self, episode: usize) -> usize {
        self.offsets[episode + 1] - self.offsets[episode]
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(self.table.names(is_bytes))
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        let mut names = self.table.names(numbers::are_numbers);
        names.retain(|name| name != EPISODE && name != STEP);
        Ok(names)
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        numbers::read(&self.table, name)
    }

    fn frames_of(&self, _: &str, _: usize) -> EpisodeFrames {
        EpisodeFrames::Own
    }

    fn frames(&self, camera: &str, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        let (first, length) = (self.offsets[episode], self.length(episode));
        if let Some(index) = indices.iter().find(|index| **index >= length) {
            let message = format!("episode {episode} has {length} moments, moment {index} is asked for");
            return Err(DataError::format(self.table.dir(), message));
        }
        let rows: Vec<usize> = indices.iter().map(|index| first + index).collect();
        pictures(&rows, |sorted, place| {
            self.table.bytes(camera, sorted, |bytes| decode_picture(bytes).and_then(&mut *place))
        })
    }
}
