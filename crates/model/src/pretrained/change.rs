//! How much features change with the weights.

use serde::Serialize;

use super::Pretrained;
use crate::Pixels;

/// How far the features of a model are from those of another, token by token, class token and registers among them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FeatureChange {
    /// The least cosine of a token's features.
    pub least_cosine: f64,
    /// The mean of the cosines.
    pub mean_cosine: f64,
    /// The largest amount that a number of the features changes by.
    pub largest: f64,
}

impl FeatureChange {
    /// Encodes clips with both models, after the last block.
    ///
    /// # Shapes
    /// - clips: `[batch, 3, time, height, width]`
    ///
    /// # Panics
    /// If the models do not take such clips, or their features differ in shape.
    pub fn between(one: &Pretrained, other: &Pretrained, clips: Pixels) -> Self {
        let width = one.spec.encoder.dim;
        let (one, other) = (numbers(one, clips.clone()), numbers(other, clips));
        assert_eq!(one.len(), other.len(), "features of two models");
        let cosines: Vec<f64> =
            one.chunks_exact(width).zip(other.chunks_exact(width)).map(|(one, other)| cosine(one, other)).collect();
        let apart = one.iter().zip(&other).map(|(one, other)| f64::from((one - other).abs()));
        Self {
            least_cosine: cosines.iter().copied().fold(1.0, f64::min),
            mean_cosine: cosines.iter().sum::<f64>() / cosines.len().max(1) as f64,
            largest: apart.fold(0.0, f64::max),
        }
    }
}

/// The features of all tokens.
fn numbers(model: &Pretrained, clips: Pixels) -> Vec<f32> {
    let found = model.features(clips, None, &[model.spec.encoder.depth]);
    let tensors = found.into_iter().flat_map(|features| features.prefix.into_iter().chain([features.tokens]));
    tensors.flat_map(|tensor| tensor.into_data().try_into_vec_as::<f32>().unwrap_or_default()).collect()
}

/// 1 of two tokens that are nothing.
fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let length = (dot(one, one) * dot(other, other)).sqrt();
    if length > 0.0 { (dot(one, other) / length).min(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_of_known_vectors() {
        assert!((cosine(&[3.0, 4.0], &[4.0, 3.0]) - 0.96).abs() < 1e-12);
        assert_eq!([cosine(&[0.0, 0.0], &[0.0, 0.0]), cosine(&[2.0, 0.0], &[5.0, 0.0])], [1.0, 1.0]);
    }
}
