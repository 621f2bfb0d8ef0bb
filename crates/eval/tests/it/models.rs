//! Small models with weights that are a function of their place.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use prevision_core::{Normalise, seed};
use prevision_data::ClipDataset;
use prevision_model::{ActionJepaConfig, ActionWorldModel, FrozenMaskedModel, HeadFlags, MaskedJepaConfig};
use rand::Rng;

use crate::walks::Walks;

pub(crate) const VECTOR: &str = r#"{"encoder": {"kind": "strided-conv", "widths": [8, 16], "dim": 24}}"#;
pub(crate) const MOMENTUM: &str = r#"{"encoder": {"kind": "strided-conv", "widths": [8, 16], "dim": 24},
    "target": {"kind": "momentum"}}"#;
pub(crate) const GRID: &str = r#"{"encoder": {"kind": "patches", "patch": 4, "hidden": 8, "channels": 3},
    "static_encoder": {"kind": "patches", "patch": 4, "hidden": 8, "channels": 3},
    "predictor": {"kind": "residual-conv", "hidden": 8}}"#;
const MASKED: &str = r#"{"encoder": {"dim": 24, "depth": 1, "heads": 2, "patch": 8, "tubelet": 2},
    "predictor": {"width": 24, "depth": 1, "heads": 2}}"#;

/// An action-conditioned model for walks.
pub(crate) fn action(config: &str, normalise_targets: bool) -> ActionWorldModel {
    let config: ActionJepaConfig = serde_json::from_str(config).unwrap();
    let (device, spaces) = (Device::flex(), Walks::held_out().spaces().clone());
    let model = config.init(&spaces, &HeadFlags::default(), &device).map(&mut Fill(0));
    ActionWorldModel::new(model.valid(), spaces, Normalise::default(), normalise_targets, device)
}

/// A masked model for walks, with normalised targets.
pub(crate) fn masked() -> FrozenMaskedModel {
    let config: MaskedJepaConfig = serde_json::from_str(MASKED).unwrap();
    let (device, spaces) = (Device::flex(), Walks::held_out().spaces().clone());
    let model = config.init(&spaces, &device).map(&mut Fill(0));
    let grid = config.grid(&spaces);
    FrozenMaskedModel::new(model.valid(), spaces, Normalise::default(), true, grid, device)
}

/// Replaces every parameter by numbers that depend on its place in the module and its shape alone.
struct Fill(u64);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let mut rng = seed::rng(7, "weights", 0, self.0);
        self.0 += 1;
        param.map(|tensor| {
            let shape = tensor.dims();
            let old: Vec<f32> = tensor.clone().into_data().try_into_vec_as().unwrap();
            let centre = if old.iter().all(|&value| value == 1.0) { 1.0 } else { 0.0 };
            let widest = shape.iter().copied().max().unwrap_or(1);
            let bound = if D == 1 { 0.1 } else { (2.0 * widest as f32 / old.len() as f32).sqrt() };
            let values: Vec<f32> = old.iter().map(|_| centre + rng.random_range(-bound..bound)).collect();
            Tensor::from_data(TensorData::new(values, shape), &tensor.device())
        })
    }
}
