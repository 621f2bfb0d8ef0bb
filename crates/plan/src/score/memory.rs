//! How many rollouts fit in a bound on memory.

use prevision_model::ModelSpec;

/// Copies of an imagined latent of many tokens that exist at once while candidates are rolled out and measured: activations of the
/// predictor, the latents of the steps, and what costs make of them; off the tape, and on it, which keeps every intermediate value until
/// it has gone back. Estimates from above, measured with small models of the predictors that exist.
const COPIES: [usize; 2] = [24, 160];
/// The same of a latent of one vector, whose predictor may be several times wider than it.
const COPIES_OF_VECTORS: [usize; 2] = [80, 400];

/// Bytes that one rollout of `horizon` steps takes while it is made and measured, estimated from the size of the latents; `[off the
/// tape, on the tape]`.
pub(super) fn bytes_per_rollout(spec: &ModelSpec, horizon: usize) -> [usize; 2] {
    let moments = spec.history + horizon;
    let numbers = spec.tokens * spec.token_width;
    let actions = spec.spaces.action_width();
    let copies = if spec.tokens > 1 { COPIES } else { COPIES_OF_VECTORS };
    copies.map(|copies| size_of::<f32>() * moments * copies * (numbers + actions))
}

/// Rollouts of which so many `bytes` each fit in a bound, if `workers` make as many at the same time; at least one.
pub(super) fn rows_within(bound: usize, bytes: usize, workers: usize) -> usize {
    (bound / (bytes * workers).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use prevision_core::{Normalise, Space, Spaces};

    use super::*;

    #[test]
    fn longer_rollouts_of_longer_latents_take_more() {
        let spaces = Spaces { action: Some(Space::Unbounded { dim: 2 }), frame_step: 1, ..Spaces::default() };
        let spec = ModelSpec::of_vectors(&spaces, &Normalise::default(), 16);
        // One past moment and nine imagined ones, of 16 numbers and 2 of an action: 180 numbers, 720 bytes.
        assert_eq!(bytes_per_rollout(&spec, 9), [720 * 80, 720 * 400]);
        let grid = ModelSpec { tokens: 4, token_width: 4, ..spec };
        assert_eq!(bytes_per_rollout(&grid, 9), [720 * 24, 720 * 160]);
        assert_eq!(rows_within(1 << 20, 1 << 10, 2), 512);
        assert_eq!(rows_within(10, 1 << 10, 2), 1, "one at a time is the least");
    }
}
