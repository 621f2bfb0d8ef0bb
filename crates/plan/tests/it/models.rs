//! Small models of Two Rooms that have learned nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::Device;
use prevision_core::{Camera, Normalise, Space, Spaces};
use prevision_env::Environment;
use prevision_env::registry::{EnvConfig, Purpose, built_in};
use prevision_model::{ActionJepaConfig, ActionWorldModel, HeadFlags, WorldModel};

/// Clips of Two Rooms with blocks of `frame_step` actions of `width` numbers.
pub(crate) fn spaces(frame_step: usize, width: usize) -> Spaces {
    Spaces {
        frames: 4,
        frame_step,
        cameras: BTreeMap::from([("pixels".to_owned(), Camera { height: 65, width: 65 })]),
        vectors: BTreeMap::new(),
        action: Some(Space::Unbounded { dim: width }),
        state: Some(2),
    }
}

/// A model with this configuration, as JSON, and these heads.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "as the configuration takes it")]
pub(crate) fn model(config: &str, spaces: &Spaces, heads: &HeadFlags) -> Arc<dyn WorldModel> {
    let device = Device::flex();
    device.seed(1);
    let config: ActionJepaConfig = serde_json::from_str(config).unwrap();
    let model = config.init(spaces, heads, &device);
    Arc::new(ActionWorldModel::new(model, spaces.clone(), Normalise::default(), false, device))
}

pub(crate) const VECTORS: &str = r#"{"encoder":{"kind":"strided-conv","widths":[4,6],"dim":16}}"#;
pub(crate) const TRANSFORMER: &str = r#"{"encoder":{"kind":"strided-conv","widths":[4,6],"dim":16},
    "predictor":{"kind":"transformer","history":3,"width":32,"depth":1,"heads":2}}"#;
pub(crate) const GRID: &str = r#"{"encoder":{"kind":"patches","hidden":6,"channels":3},
    "static_encoder":{"kind":"patches","hidden":6,"channels":3},
    "predictor":{"kind":"residual-conv","hidden":8},"distance":{"kind":"field","hidden":4}}"#;

/// Two Rooms, several side by side.
pub(crate) fn rooms(rows: usize) -> Vec<Box<dyn Environment>> {
    let world = EnvConfig::default().world(&built_in()).unwrap();
    (0..rows).map(|_| world.environment(Purpose::Evaluation).unwrap()).collect()
}
