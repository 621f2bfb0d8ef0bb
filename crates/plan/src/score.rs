//! What a solver minimises.

use burn::prelude::*;

/// The cost of candidate action sequences.
pub trait Score {
    /// Where the candidates are wanted.
    fn device(&self) -> Device;

    /// The cost of each candidate; lower is better. A cost that is not a number counts as infinite.
    ///
    /// # Shapes
    /// - actions: `[b, samples, horizon, a]`
    /// - output: `[b, samples]`
    fn score(&self, actions: Tensor<4>) -> Tensor<2>;
}
