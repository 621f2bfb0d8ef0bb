//! The keys of the world, `[env.two-rooms]`.

use prevision_core::config::{self, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::look::factors;
use super::{Collision, LayoutChoice, LayoutSplit, TwoRooms, Walker};
use crate::registry::{Purpose, World};
use crate::{EnvError, Environment, Policy, Variation};

/// How Two Rooms is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A floor plan drawn for each episode, or always the same one. Default `random`.
    pub layout: LayoutChoice,
    /// Which of the random floor plans are used. Unset: `training` in recordings, `held-out` when plans are judged, so that
    /// planning meets floor plans that training never showed.
    pub layouts: Option<LayoutSplit>,
    /// What happens when a move meets a wall. Default `stop`.
    pub collision: Collision,
    /// Recorded episodes in a row that share a random floor plan. Default 1.
    pub episodes_per_layout: usize,
    /// Which factors of variation differ between episodes. Default none.
    pub variation: Variation,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            layout: LayoutChoice::Random,
            layouts: None,
            collision: Collision::Stop,
            episodes_per_layout: 1,
            variation: Variation::default(),
        }
    }
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        check("episodes_per_layout", self.episodes_per_layout as f64).at_least(1.0)?;
        self.variation.check(&factors())
    }
}

/// Two Rooms, set up.
#[derive(Debug, Clone)]
pub struct TwoRoomsWorld {
    options: Options,
}

impl TwoRoomsWorld {
    /// Set up by these options.
    pub fn new(options: Options) -> Self {
        Self { options }
    }
}

impl World for TwoRoomsWorld {
    fn environment(&self, purpose: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(TwoRooms::new(&self.options, purpose)))
    }

    fn policies(&self) -> &[&str] {
        &[Walker::NAME]
    }

    fn policy(&self, name: &str, steps: usize) -> Option<Box<dyn Policy>> {
        (name == Walker::NAME).then(|| Box::new(Walker::new(self.options.clone(), steps)) as Box<dyn Policy>)
    }
}
