//! Latents on the host.

use burn::tensor::Tensor;

use crate::EvalError;

/// Latents of clips, read from the device: `[clips, steps, dim]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Latents {
    values: Vec<f32>,
    steps: usize,
    dim: usize,
}

impl Latents {
    /// No clips yet, of `steps` latents of length `dim` each.
    ///
    /// # Panics
    /// If `steps` or `dim` is 0.
    pub fn new(steps: usize, dim: usize) -> Self {
        assert!(steps > 0 && dim > 0, "latents of {steps} steps and {dim} dimensions");
        Self { values: Vec::new(), steps, dim }
    }

    /// Latents from values in row-major order.
    ///
    /// # Panics
    /// If the values do not fill whole clips.
    pub fn from_values(values: Vec<f32>, steps: usize, dim: usize) -> Self {
        let mut latents = Self::new(steps, dim);
        let count = values.len();
        assert!(count.is_multiple_of(steps * dim), "{count} values do not fill clips of {steps} x {dim}");
        latents.values = values;
        latents
    }

    /// Those of one batch.
    ///
    /// # Shapes
    /// - batch: `[clips, steps, dim]`
    ///
    /// # Errors
    /// If the device fails.
    pub fn of(batch: Tensor<3>) -> Result<Self, EvalError> {
        let [_, steps, dim] = batch.dims();
        Ok(Self::from_values(read(batch)?, steps, dim))
    }

    /// Appends a batch to those that are kept, if any.
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn append_to(kept: &mut Option<Self>, batch: Tensor<3>) -> Result<(), EvalError> {
        let [_, steps, dim] = batch.dims();
        kept.get_or_insert_with(|| Self::new(steps, dim)).push(batch)
    }

    /// Appends a batch.
    ///
    /// # Shapes
    /// - batch: `[clips, steps, dim]`
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If the shape differs.
    pub fn push(&mut self, batch: Tensor<3>) -> Result<(), EvalError> {
        let shape = batch.dims();
        assert_eq!(shape[1..], [self.steps, self.dim], "a batch of latents {shape:?} does not fit");
        self.values.extend(read(batch)?);
        Ok(())
    }

    /// Number of clips.
    pub fn clips(&self) -> usize {
        self.values.len() / (self.steps * self.dim)
    }

    /// Latents of each clip.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Length of a latent.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One latent.
    ///
    /// # Panics
    /// If there is no such clip or step.
    pub fn at(&self, clip: usize, step: usize) -> &[f32] {
        assert!(step < self.steps, "step {step} of {}", self.steps);
        let start = (clip * self.steps + step) * self.dim;
        &self.values[start..start + self.dim]
    }

    /// Every latent of every clip in order.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.dim)
    }

    /// Every value.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// All values of a tensor.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, EvalError> {
    let data = tensor.try_into_data().map_err(|error| EvalError::Device(format!("{error:?}")))?;
    data.try_into_vec_as::<f32>().map_err(|error| EvalError::Device(format!("{error:?}")))
}

/// The mean squared difference of two latents.
pub(crate) fn squared_error(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    sum / a.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn batches_are_appended_in_order() {
        let device = Device::flex();
        let mut kept = None;
        for batch in [[[[1.0, 2.0], [3.0, 4.0]]], [[[5.0, 6.0], [7.0, 8.0]]]] {
            Latents::append_to(&mut kept, Tensor::from_floats(batch, &device)).unwrap();
        }
        let latents = kept.unwrap();
        assert_eq!((latents.clips(), latents.at(1, 0)), (2, [5.0, 6.0].as_slice()));
        assert_eq!(latents, Latents::from_values((1..9_u8).map(f32::from).collect(), 2, 2));
    }

    #[test]
    #[should_panic(expected = "a batch of latents [1, 1, 2] does not fit")]
    fn other_shapes_panic() {
        let _ = Latents::new(2, 2).push(Tensor::zeros([1, 1, 2], &Device::flex()));
    }
}
