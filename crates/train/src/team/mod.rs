//! The processes that train one model together.

mod sum;

pub(crate) use sum::{agree, average, average_gradients};

/// The processes that train one model, each on its part of every batch, as one of them knows them. [`Alone`] is the usual one.
///
/// A step that fails in one process fails in it alone: how the others learn of it, by an error of [`sum`](Self::sum) or by being
/// ended, is the business of what runs them.
pub trait Team: Send + Sync {
    /// Number of this process, from 0. The first one alone writes the run folder, which all of them read.
    fn rank(&self) -> usize;

    /// Number of processes.
    fn size(&self) -> usize;

    /// Replaces the values by their sum over all processes, which call this equally often and with equally many values. Every
    /// process gets the same bits, and the same again in another run: summation is in a fixed order.
    ///
    /// # Errors
    /// If a process cannot be reached.
    fn sum(&self, values: &mut [f32]) -> Result<(), TeamError>;
}

/// A process that trains by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Team for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, _values: &mut [f32]) -> Result<(), TeamError> {
        Ok(())
    }
}

/// What went wrong between processes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the processes of this training lost each other: {0}")]
pub struct TeamError(pub String);
