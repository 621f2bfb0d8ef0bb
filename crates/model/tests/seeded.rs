//! Initial weights depend on the device's seed alone. Alone in its binary: the CPU device has one generator per process.

use std::collections::BTreeMap;

use burn::tensor::Device;
use prevision_core::{Camera, Space, Spaces};
use prevision_model::{ActionJepaConfig, HeadFlags, weights};

#[test]
fn one_seed_gives_one_model() {
    let device = Device::flex();
    let spaces = Spaces {
        frames: 4,
        cameras: BTreeMap::from([("pixels".to_owned(), Camera { height: 16, width: 16 })]),
        action: Some(Space::Unbounded { dim: 2 }),
        ..Spaces::default()
    };
    let heads = HeadFlags { inverse_dynamics: true, distance: true, position: true, levels: false };
    let folder = tempfile::tempdir().expect("folder");
    let file = |name: &str, seed: u64| {
        let path = folder.path().join(name);
        device.seed(seed);
        let model = ActionJepaConfig::default().init(&spaces, &heads, &device);
        weights::save(&model, &path).expect("saved");
        std::fs::read(path).expect("file")
    };
    let first = file("first", 5);
    assert_eq!(first, file("again", 5));
    assert_ne!(first, file("other", 6));
}
