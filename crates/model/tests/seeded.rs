//! Initial weights depend on the device's seed alone. Alone in its binary: the CPU device has one generator per process.

use burn::tensor::Device;
use prevision_model::{HeadFlags, InputShape, ModelConfig, weights};

#[test]
fn one_seed_gives_one_model() {
    let device = Device::flex();
    let input = InputShape { channels: 3, frames: 4, height: 16, width: 16, action_dim: 2, state_dim: 2 };
    let heads = HeadFlags { inverse_dynamics: true, distance: true, position: true };
    let folder = tempfile::tempdir().expect("folder");
    let file = |name: &str, seed: u64| {
        let path = folder.path().join(name);
        device.seed(seed);
        let model = ModelConfig::default().init(&input, &heads, &device);
        weights::save(&model, &path).expect("saved");
        std::fs::read(path).expect("file")
    };
    let first = file("first", 5);
    assert_eq!(first, file("again", 5));
    assert_ne!(first, file("other", 6));
}
