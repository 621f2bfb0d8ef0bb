//! What the random choices of a step depend on.

/// All random choices of a step are functions of this and of the place of a clip in the whole batch, `first + i`: they do not depend
/// on how many processes have a part of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Seed of the run.
    pub seed: u64,
    /// Number of the batch since the start of training.
    pub number: u64,
    /// Place of the first clip at hand in the whole batch.
    pub first: usize,
}
