//! What tells models of the same kind apart: what a fixed picture looks like to them.

use prevision_core::{Array2, FrameBuffer, Observations};
use prevision_model::{ObservationBatch, WorldModel};

/// Numbers that are kept.
const KEPT: usize = 32;
/// Share by which the numbers of one model may differ: devices and precisions round differently.
const ROUNDING: f32 = 0.05;

/// Latents of a fixed picture, a few numbers of them.
pub(super) fn fingerprint(model: &dyn WorldModel) -> Vec<f32> {
    let spec = model.spec();
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut seen = Observations::default();
    for (name, camera) in &spec.spaces.cameras {
        let mut frame = FrameBuffer::new(1, camera.height, camera.width);
        frame.data.fill_with(&mut next);
        seen.cameras.insert(name.clone(), frame);
    }
    for (name, width) in &spec.spaces.vectors {
        let values = (0..*width).map(|_| f32::from(next()) / 128.0 - 1.0).collect();
        seen.vectors.insert(name.clone(), Array2::new(values, 1, *width));
    }
    let batch = ObservationBatch::upload(&[&seen], &spec.normalise, &model.device());
    let values = model.encode(&batch).tokens.into_data().try_into_vec_as::<f32>().expect("latents are floats");
    values.iter().step_by(values.len().div_ceil(KEPT).max(1)).copied().collect()
}

/// Whether they are of one model.
pub(super) fn same(one: &[f32], other: &[f32]) -> bool {
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|value| value * value).sum::<f32>();
    let apart = square(&mut one.iter().zip(other).map(|(a, b)| a - b));
    // What is not finite is of no model.
    one.len() == other.len() && apart.sqrt() <= ROUNDING * square(&mut one.iter().copied()).sqrt() + f32::EPSILON
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy_model::Drift;

    #[test]
    fn models_are_told_apart_and_rounding_is_not_minded() {
        let found = fingerprint(&Drift::new(2));
        assert_eq!(found.len(), 2);
        assert!(same(&found, &fingerprint(&Drift::new(2))));
        assert!(same(&[1.0, -2.0], &[1.01, -2.01]));
        assert!(!same(&[1.0, -2.0], &[1.0, -1.0]));
        assert!(!same(&[1.0], &[1.0, 0.0]) && !same(&[f32::NAN], &[f32::NAN]));
    }
}
