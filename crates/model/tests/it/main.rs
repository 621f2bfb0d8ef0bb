//! Tests that look at the crate from outside.

mod adaptation;
mod block_causal;
mod causality;
mod configuration;
mod counts;
mod golden_gru;
mod gradients;
mod lewm;
mod masked_model;
mod masks;
mod multi_view;
mod pretrained;
mod pretrained_encoder;
mod published;
mod pytorch;
mod stored;
mod target_encoder;
mod weight_files;
mod world_model;

use std::collections::BTreeMap;

use burn::tensor::{Device, Distribution, Tensor};
use prevision_core::{Camera, Space, Spaces};
use prevision_model::{
    ActionJepaConfig, ActionPredictorConfig, DistanceHeadConfig, FrameEncoderConfig, StepDistanceConfig, TargetConfig,
};

/// Clips of one camera, with actions of two numbers.
fn clips(frames: usize, height: usize, width: usize) -> Spaces {
    Spaces {
        frames,
        frame_step: 1,
        cameras: BTreeMap::from([("pixels".to_owned(), Camera { height, width })]),
        vectors: BTreeMap::new(),
        action: Some(Space::Unbounded { dim: 2 }),
        state: Some(2),
    }
}

/// Small clips.
fn small() -> Spaces {
    clips(4, 16, 16)
}

/// Configuration of a small model from JSON for encoder, predictor and target.
fn config(encoder: &str, predictor: &str, target: &str) -> ActionJepaConfig {
    ActionJepaConfig {
        encoder: serde_json::from_str::<FrameEncoderConfig>(encoder).expect("encoder"),
        predictor: serde_json::from_str::<ActionPredictorConfig>(predictor).expect("predictor"),
        target: serde_json::from_str::<TargetConfig>(target).expect("target"),
        distance: DistanceHeadConfig::Embedding(StepDistanceConfig { hidden: 16, groups: 3, size: 2 }),
        static_encoder: None,
        levels: Vec::new(),
        proprioception: None,
    }
}

const STRIDED: &str = r#"{"kind":"strided-conv","widths":[4,6],"dim":8}"#;
const IMPALA: &str = r#"{"kind":"impala","widths":[4,4],"dim":8}"#;
const VIT: &str = r#"{"kind":"vit","patch":8,"width":12,"depth":2,"heads":2,"dim":8}"#;
const PATCHES: &str = r#"{"kind":"patches","patch":8,"hidden":6,"channels":2}"#;
const CONV: &str = r#"{"kind":"residual-conv","hidden":5}"#;
const GRU: &str = r#"{"kind":"gru"}"#;
const TRANSFORMER: &str = r#"{"kind":"transformer","history":3,"width":16,"depth":2,"heads":2}"#;
const SHARED: &str = r#"{"kind":"shared"}"#;
const MOMENTUM: &str = r#"{"kind":"momentum","momentum":0.9}"#;

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Largest absolute difference.
fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    (a - b).abs().max().into_scalar()
}
