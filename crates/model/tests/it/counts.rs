//! Parameter counts of the published models. Parameters are drawn lazily, so nothing large is allocated.

use burn::module::Module;
use burn::tensor::Device;
use prevision_model::predictor::GruConfig;
use prevision_model::{InverseDynamics, MaskedPredictorConfig, PositionHead, VideoVitConfig};

#[test]
fn action_conditioned_parts_equal_eb_jepa() {
    let device = Device::flex();
    assert_eq!(GruConfig {}.init(512, 2, &device).num_params(), 792_576);
    assert_eq!(InverseDynamics::new(512, 2, &device).num_params(), 328_706);
    assert_eq!(PositionHead::new(512, &device).num_params(), 263_682);
}

#[test]
fn video_transformers_equal_vjepa2() {
    let device = Device::flex();
    assert_eq!(VideoVitConfig::base().init(3, &device).num_params(), 86_236_416);
    assert_eq!(VideoVitConfig::large().init(3, &device).num_params(), 303_885_312);
    assert_eq!(VideoVitConfig::huge().init(3, &device).num_params(), 631_648_000);
    assert_eq!(VideoVitConfig::giant().init(3, &device).num_params(), 1_012_173_952);
}

#[test]
fn masked_predictors_equal_vjepa2() {
    let device = Device::flex();
    let predictor = MaskedPredictorConfig::default();
    assert_eq!(predictor.init(&VideoVitConfig::large(), [8, 16, 16], &device).num_params(), 22_086_016);
    assert_eq!(predictor.init(&VideoVitConfig::giant(), [8, 16, 16], &device).num_params(), 22_381_312);
}
