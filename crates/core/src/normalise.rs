//! What pixels become on the device.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What pixels become on the device: `(pixel / 255 - mean) / std` for red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Normalise {
    /// Subtracted. Default 0.5. `ImageNet`: 0.485, 0.456, 0.406.
    pub mean: [f32; 3],
    /// Divided by. Default 0.5. `ImageNet`: 0.229, 0.224, 0.225.
    pub std: [f32; 3],
}

impl Default for Normalise {
    fn default() -> Self {
        Self { mean: [0.5; 3], std: [0.5; 3] }
    }
}
