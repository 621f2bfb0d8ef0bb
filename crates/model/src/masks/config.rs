//! Configuration of one multi-block mask.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use prevision_core::config::check::{ensure, positive};

/// One mask: how many blocks hide tokens, and how large they are. The default is V-JEPA's short-range mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MaskConfig {
    /// Blocks hidden in each clip. Default 8.
    pub blocks: usize,
    /// Smallest and largest share of a frame's tokens in a block, drawn uniformly per batch. Default `[0.15, 0.15]`.
    pub spatial: [f64; 2],
    /// Smallest and largest share of the tubelets in time that a block spans. Default `[1.0, 1.0]`.
    pub temporal: [f64; 2],
    /// Smallest and largest ratio of a block's height to its width. Default `[0.75, 1.5]`.
    pub aspect: [f64; 2],
    /// Share of the clip, from its start, that may be visible at all; the rest is always hidden. Default 1.
    pub max_temporal_keep: f64,
}

impl Default for MaskConfig {
    fn default() -> Self {
        Self::short_range()
    }
}

impl MaskConfig {
    /// V-JEPA's short-range mask: 8 blocks of 15 % of the frame.
    pub fn short_range() -> Self {
        Self { blocks: 8, spatial: [0.15; 2], temporal: [1.0; 2], aspect: [0.75, 1.5], max_temporal_keep: 1.0 }
    }

    /// V-JEPA's long-range mask: 2 blocks of 70 % of the frame.
    pub fn long_range() -> Self {
        Self { blocks: 2, spatial: [0.7; 2], ..Self::short_range() }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("blocks", self.blocks)?;
        let share = |key: &str, [low, high]: [f64; 2]| {
            let valid = low > 0.0 && low <= high && high <= 1.0;
            ensure(valid, key, format!("[{low}, {high}]"), "two ascending numbers in (0, 1]")
        };
        share("spatial", self.spatial)?;
        share("temporal", self.temporal)?;
        let [low, high] = self.aspect;
        let valid = low > 0.0 && low <= high && high.is_finite();
        ensure(valid, "aspect", format!("[{low}, {high}]"), "two ascending numbers above 0")?;
        let keep = self.max_temporal_keep;
        ensure(keep > 0.0 && keep <= 1.0, "max_temporal_keep", keep, "in (0, 1]")
    }
}
