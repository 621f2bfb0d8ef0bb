//! The numbers that belong to the clips of a recording.

use prevision_core::{Array2, Space};

use super::format::{EpisodeSource, offsets};
use super::source::EpisodesOptions;
use crate::{DataConfig, DataError};

/// The column whose space a recording tells.
const ACTION: &str = "action";

/// The most choices that an action can be one of: each is a number of the model's form.
const MOST_CHOICES: usize = 1 << 16;

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
        let mut offsets = offsets(recording);
        let total = offsets.pop().unwrap_or_default();
        let column = |name: &String| {
            let column = recording.column(name)?;
            if column.columns == 0 {
                let message = format!("column `{name}` has no numbers in its rows, expected at least one");
                return Err(DataError::format(&options.path, message));
            }
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
        // The last action of an episode leads to no frame. Recordings may have NaN there.
        let finite = |name: &str, column: &Array2, until_last| {
            finite(column, &offsets, until_last).map_err(|message| {
                let message = format!("column `{name}` {message}");
                DataError::format(&options.path, message)
            })
        };
        if let Some(stored) = &stored {
            finite(&options.action, stored, true)?;
        }
        if let (Some(stored), Some(Space::Discrete { count })) = (&stored, &action_space)
            && let Some(row) = (0..stored.rows).find(|&row| !is_choice(stored.row(row)[0], *count))
        {
            let (name, value) = (&options.action, stored.row(row)[0]);
            let message = format!("column `{name}` is {value} in row {row}, expected whole numbers below {count}");
            return Err(DataError::format(&options.path, message));
        }
        let actions = stored.zip(action_space.as_ref()).map(|(stored, space)| in_model_form(&stored, space));
        let state = given(&options.state)?;
        if let Some(state) = &state {
            finite(&options.state, state, false)?;
        }
        let vectors = options.vectors.iter().map(|name| {
            let values = column(name)?;
            finite(name, &values, false)?;
            Ok((name.clone(), values))
        });
        Ok(Self {
            frames: config.frames,
            step: config.frame_step,
            actions,
            action_space,
            state,
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

/// Whether a stored number is one of `count` choices. Where no action was taken it may be NaN.
fn is_choice(value: f32, count: usize) -> bool {
    value.is_nan() || (value >= 0.0 && value.fract() == 0.0 && (value as usize) < count)
}

/// Says which value of a column is not finite, if one is; `until_last` leaves out the last row of each episode.
fn finite(column: &Array2, offsets: &[usize], until_last: bool) -> Result<(), String> {
    for (episode, &start) in offsets.iter().enumerate() {
        let end = offsets.get(episode + 1).copied().unwrap_or(column.rows).saturating_sub(usize::from(until_last));
        for row in start..end {
            if let Some(value) = column.row(row).iter().find(|value| !value.is_finite()) {
                return Err(format!(
                    "is {value} at moment {} of episode {episode} (row {row}), expected finite numbers",
                    row - start
                ));
            }
        }
    }
    Ok(())
}

/// The space that the recording tells of its actions; without one any numbers are actions.
fn action_space(options: &EpisodesOptions, recording: &dyn EpisodeSource, stored: &Array2) -> Result<Space, DataError> {
    let known = recording.spaces().and_then(|spaces| spaces.action.clone()).filter(|_| options.action == ACTION);
    let Some(space) = known else { return Ok(Space::Unbounded { dim: stored.columns }) };
    if let Space::Discrete { count } = space
        && count > MOST_CHOICES
    {
        let message = format!("`{ACTION}` is one of {count} choices, expected at most {MOST_CHOICES}");
        return Err(DataError::format(&options.path, message));
    }
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
