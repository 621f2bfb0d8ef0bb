//! The keys that worlds of a few joints have, `[env.pendulum]`, `[env.cart-pole]`, `[env.reacher]`.

use prevision_core::config::{self, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Variation;

/// How a world of a few joints is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// Pixels of a frame each way, 16 to 1024. Default 64.
    pub(crate) size: usize,
    /// Which factors of variation differ between episodes. Default none.
    pub(crate) variation: Variation,
}

impl Default for Options {
    fn default() -> Self {
        Self { size: 64, variation: Variation::default() }
    }
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        check("size", self.size as f64).within(16.0, 1024.0)?.done()
    }
}
