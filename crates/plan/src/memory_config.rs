//! `[plan.memory]`: what a planner remembers.

use std::path::PathBuf;

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::GraphOptions;
use crate::policy::{GuidedOptions, WayOptions};

/// What a planner remembers: obstacles that an episode has met, and places that all episodes and runs have met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Steps by which passing a place becomes longer, for the rest of an episode, where a plan was to bring the agent and did not, or
    /// where it came to a stop. Needs a model with a learned distance of kind `field`. Default 0: no obstacle is remembered.
    pub obstacles: f64,
    /// The file of the places that were met, in the run folder unless it is absolute. Unset: places are not remembered.
    pub places: Option<PathBuf>,
    /// Whether what the episodes meet is added to the file. Default true.
    pub learn: bool,
    /// How far ahead on a known way plans lead at most, in actions of the model; half as far after a plan without a step forward, and so
    /// on. Unset: half the horizon.
    pub ahead: Option<f64>,
    /// A start or goal farther from every place than this is not known, in the unit of a step: the median distance of latents one
    /// action apart. Default 3.
    pub near: f64,
    /// Plans in a row without a step forward, after which the transition that they fail at becomes longer, and the agent is sought at
    /// another place that looks like the present. Default 4.
    pub patience: usize,
    /// Actions by which it becomes longer, for the rest of the episode. Default 20.
    pub toll: f64,
    /// Actions that a transition takes backwards, over those that it takes, where it was met in one direction alone. Unset: nothing is tried
    /// backwards.
    pub backwards: Option<f64>,
    /// Latents nearer to each other than this are one place, in the unit of a step. Default 1.5.
    pub spacing: f64,
    /// The most places in the file: beyond it those that were met least are forgotten, and the ways through them kept. Default 5,000.
    pub most: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            obstacles: 0.0,
            places: None,
            learn: true,
            ahead: None,
            near: 3.0,
            patience: 4,
            toll: 20.0,
            backwards: None,
            spacing: 1.5,
            most: 5_000,
        }
    }
}

impl Options for MemoryConfig {
    fn validate(&self) -> Result<(), String> {
        check("obstacles", self.obstacles).at_least(0.0)?;
        if let Some(ahead) = self.ahead {
            check("ahead", ahead).above(0.0)?;
        }
        check("near", self.near).above(0.0)?;
        check("patience", self.patience as f64).at_least(1.0)?;
        check("toll", self.toll).above(0.0)?;
        if let Some(price) = self.backwards {
            check("backwards", price).at_least(1.0)?;
        }
        check("spacing", self.spacing).above(0.0)?;
        check("most", self.most as f64).at_least(2.0)?.done()
    }
}

impl MemoryConfig {
    /// How a policy is led, with plans of so many actions, of which so many are executed.
    pub fn guided(&self, horizon: usize, execute: usize) -> GuidedOptions {
        let ahead = self.ahead.unwrap_or(horizon as f64 / 2.0) as f32;
        let way = WayOptions { ahead, patience: self.patience, toll: self.toll as f32 };
        // What was met may have been walked more slowly than plans go.
        GuidedOptions { way, near: self.near as f32, reach: 3.0 * execute as f32 }
    }

    /// How the graph grows.
    pub fn graph(&self) -> GraphOptions {
        GraphOptions { spacing: self.spacing as f32, most: self.most }
    }
}
