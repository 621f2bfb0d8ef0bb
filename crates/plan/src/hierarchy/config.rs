//! `[plan.hierarchy]`: planning with slower models.

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::GraphOptions;

/// How far ahead a planner looks with the slower models of a hierarchy, `[[model.levels]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HierarchyConfig {
    /// Levels that plan, the model itself among them: 1 is no hierarchy. Unset: what `prevision levels` has chosen for the run, else 1.
    pub levels: Option<usize>,
    /// Action sequences of a stride that are imagined from every place. Default 24.
    pub samples: usize,
    /// How often such sequences are drawn from every place, if no way to the goal is found with fewer. Default 3.
    pub draws: usize,
    /// What places are compared by: the name of a readout of the model, such as `position`. Unset: the latents themselves, their moving
    /// part.
    pub compare: Option<String>,
    /// Places nearer to each other than this are one, in the unit of a step: the farthest that one action leads from where an episode
    /// starts. Default 1.
    pub spacing: f64,
    /// A goal is at a place that is not farther away than this, in the unit of a step. Default 1.25.
    pub near: f64,
    /// The most places that are imagined in an episode, by each level. Default 1,000.
    pub most: usize,
    /// Plans that may lead to the end of a stride; if they do not get there, the stride becomes longer. Default 3.
    pub patience: usize,
    /// Actions by which it becomes longer, for the rest of the episode. Default 40.
    pub toll: f64,
}

impl Default for HierarchyConfig {
    fn default() -> Self {
        Self {
            levels: None,
            samples: 24,
            draws: 3,
            compare: None,
            spacing: 1.0,
            near: 1.25,
            most: 1_000,
            patience: 3,
            toll: 40.0,
        }
    }
}

impl Options for HierarchyConfig {
    fn validate(&self) -> Result<(), String> {
        if let Some(levels) = self.levels {
            check("levels", levels as f64).at_least(1.0)?;
        }
        check("samples", self.samples as f64).at_least(1.0)?;
        check("draws", self.draws as f64).at_least(1.0)?;
        check("spacing", self.spacing).above(0.0)?;
        check("near", self.near).above(0.0)?;
        check("most", self.most as f64).at_least(2.0)?;
        check("patience", self.patience as f64).at_least(1.0)?;
        check("toll", self.toll).above(0.0)?.done()
    }
}

impl HierarchyConfig {
    /// How the places of a level grow.
    pub(crate) fn graph(&self) -> GraphOptions {
        GraphOptions { spacing: self.spacing as f32, most: self.most }
    }
}
