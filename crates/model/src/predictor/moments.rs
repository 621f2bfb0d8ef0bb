//! Consecutive moments, as predictors see them.

use burn::tensor::Tensor;

/// Latents of consecutive moments, with proprioception where a model has it.
#[derive(Clone, Debug)]
pub struct Moments {
    /// `[batch, t, dim]`
    pub latents: Tensor<3>,
    /// `[batch, t, numbers]`
    pub proprioception: Option<Tensor<3>>,
}

impl Moments {
    /// Latents alone.
    ///
    /// # Shapes
    /// - latents: `[batch, t, dim]`
    pub fn of_latents(latents: Tensor<3>) -> Self {
        Self { latents, proprioception: None }
    }

    /// The moments `start .. start + count`.
    #[must_use]
    pub fn narrow(&self, start: usize, count: usize) -> Self {
        Self {
            latents: self.latents.clone().narrow(1, start, count),
            proprioception: self.proprioception.clone().map(|state| state.narrow(1, start, count)),
        }
    }

    /// These, then others of the same episodes.
    ///
    /// # Panics
    /// If one has proprioception and the other has not.
    #[must_use]
    pub fn then(self, other: Self) -> Self {
        let proprioception = match (self.proprioception, other.proprioception) {
            (Some(first), Some(second)) => Some(Tensor::cat(vec![first, second], 1)),
            (None, None) => None,
            _ => panic!("moments with and without proprioception"),
        };
        Self { latents: Tensor::cat(vec![self.latents, other.latents], 1), proprioception }
    }
}
