//! A largest displacement in a step.

use burn::prelude::*;
use prevision_core::config::Options;
use prevision_core::config::check::{check, message};
use prevision_model::Latents;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Constraint, Happened, norms};
use crate::cost::{CostContext, Imagined, Measure, Scene};
use crate::readout::{POSITION, Readout};

/// What a displacement may exceed the limit by through rounding, as a share of it.
const ROUNDING: f64 = 1e-4;

/// Keys of [`Speed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpeedConfig {
    /// Name of the readout. Default `position`: where the agent is, x and y in pixels.
    pub readout: String,
    /// Largest Euclidean displacement of the readout in a step of the world; must be given.
    pub limit: Option<f64>,
    /// How far below the limit plans must stay. Default 0.
    pub margin: f64,
}

impl Default for SpeedConfig {
    fn default() -> Self {
        Self { readout: POSITION.to_owned(), limit: None, margin: 0.0 }
    }
}

impl Options for SpeedConfig {
    fn validate(&self) -> Result<(), String> {
        let limit = self.limit()?;
        check("limit", limit).above(0.0)?;
        check("margin", self.margin).at_least(0.0)?.at_most(limit, "limit")?.done()
    }
}

impl SpeedConfig {
    /// The limit, which must be given.
    fn limit(&self) -> Result<f64, String> {
        self.limit.ok_or_else(|| message("limit", "not set", "a number above 0"))
    }
}

/// What is read from latents must not change by more than a limit in a step. Violated by the excess over the limit less the margin,
/// summed over the imagined steps; of a block of raw actions the displacement counts in equal parts. What really happened violates it if
/// the displacement of a step exceeds the limit.
pub struct Speed {
    readout: Readout,
    limit: f64,
    margin: f64,
    /// Raw actions in one of the model's.
    block: usize,
}

impl Speed {
    /// A constraint with these keys.
    ///
    /// # Errors
    /// If a key is out of range, or the model has no such readout.
    pub fn new(context: &CostContext, keys: &SpeedConfig) -> Result<Self, String> {
        keys.validate()?;
        let readout = Readout::new("readout", &keys.readout, &context.model)?;
        Ok(Self {
            readout,
            limit: keys.limit()?,
            margin: keys.margin,
            block: context.model.spec().spaces.frame_step.max(1),
        })
    }
}

impl Constraint for Speed {
    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        let present = self.readout.of(&Latents::new(scene.present.clone().unsqueeze_dim(1)));
        let limit = ((self.limit - self.margin) * self.block as f64) as f32;
        Ok(Box::new(Excess { readout: self.readout.clone(), limit, block: self.block as f32, present }))
    }

    fn violated(&self, happened: &Happened<'_>) -> Result<Option<Vec<bool>>, String> {
        let too_fast = |[before, after]: &[Vec<f64>; 2]| {
            let squares = before.iter().zip(after).map(|(before, after)| (after - before).powi(2));
            squares.sum::<f64>().sqrt() > self.limit * (1.0 + ROUNDING)
        };
        Ok(Some(happened.readout(&self.readout)?.iter().map(too_fast).collect()))
    }
}

struct Excess {
    readout: Readout,
    /// Largest displacement by one action of the model.
    limit: f32,
    block: f32,
    /// `[scene, 1, n]`
    present: Tensor<3>,
}

impl Measure for Excess {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let [rows, samples, horizon, _] = imagined.actions.dims();
        let after = self.readout.of(&imagined.latents);
        let [.., n] = after.dims();
        let present = self.present.clone().narrow(0, imagined.rows.start, rows);
        let present = present.expand([rows, samples, n]).reshape([rows * samples, 1, n]);
        let all = Tensor::cat(vec![present, after], 1);
        let displacements = norms(all.clone().narrow(1, 1, horizon) - all.narrow(1, 0, horizon));
        let excess = (displacements - self.limit).clamp_min(0.0) / self.block;
        excess.sum_dim(1).reshape([rows, samples])
    }
}
