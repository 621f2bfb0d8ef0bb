//! The numbers that belong to the clips of a recording.

use prevision_core::{Array2, Space};

use super::format::EpisodeSource;
use super::source::EpisodesOptions;
use crate::{DataConfig, DataError};

/// The column whose space a recording tells.
const ACTION: &str = "action";

/// The columns of a recording that its clips have. Each has a row for every moment of every episode.
pub(super) struct Columns {
    /// First row of each episode.
    offsets: Vec<usize>,
    frames: usize,
    step: usize,
    /// In a model's form.
    actions: Option<Array2>,
    /// What one raw action can be.
    pub(super) action_space: Option<Space>,
    pub(super) state: Option<Array2>,
    pub(super) vectors: Vec<(String, Array2)>,
}

impl Columns {
    pub(super) fn read(
        options: &EpisodesOptions,
        recording: &dyn EpisodeSource,
        config: &DataConfig,
    ) -> Result<Self, DataError> {
        let mut offsets = vec![0];
        for episode in 0..recording.episodes() {
            offsets.push(offsets[episode] + recording.length(episode));
        }
        let total = offsets.pop().unwrap_or_default();
        let column = |name: &String| {
            let column = recording.column(name)?;
            if column.rows == total {
                return Ok(column);
            }
            let message = format!("column `{name}` has {} rows, its episodes have {total} moments", column.rows);
            Err(DataError::format(&options.path, message))
        };
        let given = |name: &String| if name.is_empty() { Ok(None) } else { column(name).map(Some) };
        // A clip of one frame has no action between frames.
        let stored = if config.frames > 1 { given(&options.action)? } else { None };
        let action_space = match &stored {
            Some(stored) => Some(action_space(options, recording, stored)?),
            None => None,
        };
        let actions = stored.zip(action_space.as_ref()).map(|(stored, space)| in_model_form(&stored, space));
        let vectors = options.vectors.iter().map(|name| Ok((name.clone(), column(name)?)));
        Ok(Self {
            frames: config.frames,
            step: config.frame_step,
            actions,
            action_space,
            state: given(&options.state)?,
            vectors: vectors.collect::<Result<_, DataError>>()?,
            offsets,
        })
    }

    /// The actions of the clip that begins at moment `start` of an episode: a row for each gap between frames, with those of all
    /// moments in it.
    pub(super) fn actions_of(&self, episode: usize, start: usize) -> Option<Array2> {
        let actions = self.actions.as_ref()?;
        let rows = actions.slice(self.offsets[episode] + start, (self.frames - 1) * self.step);
        Some(Array2::new(rows.data, self.frames - 1, self.step * actions.columns))
    }

    /// The rows of a column at the frames of the clip that begins at moment `start` of an episode.
    pub(super) fn rows_of(&self, column: &Array2, episode: usize, start: usize) -> Array2 {
        let first = self.offsets[episode] + start;
        let rows = (0..self.frames).flat_map(|frame| column.row(first + frame * self.step)).copied().collect();
        Array2::new(rows, self.frames, column.columns)
    }
}

/// The space that the recording tells of its actions; without one any numbers are actions.
fn action_space(options: &EpisodesOptions, recording: &dyn EpisodeSource, stored: &Array2) -> Result<Space, DataError> {
    let known = recording.spaces().and_then(|spaces| spaces.action.clone()).filter(|_| options.action == ACTION);
    let Some(space) = known else { return Ok(Space::Unbounded { dim: stored.columns }) };
    if space.stored_width() == stored.columns {
        return Ok(space);
    }
    let message = format!(
        "column `{ACTION}` has {} numbers in a row, the recording's spaces say {} ({space})",
        stored.columns,
        space.stored_width()
    );
    Err(DataError::format(&options.path, message))
}

fn in_model_form(stored: &Array2, space: &Space) -> Array2 {
    let data = (0..stored.rows).flat_map(|row| space.from_stored(stored.row(row))).collect();
    Array2::new(data, stored.rows, space.width())
}
