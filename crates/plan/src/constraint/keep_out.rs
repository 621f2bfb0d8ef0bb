//! Regions that must not be entered.

use burn::prelude::*;
use prevision_core::config::Options;
use prevision_core::config::check::{check, ensure, message, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Constraint, Happened};
use crate::cost::{CostContext, Imagined, Measure, Scene};
use crate::readout::{POSITION, Readout};

/// Values of a readout of `n` numbers; the key `kind` is `circle` or `box`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Region {
    /// All within a Euclidean distance.
    Circle {
        /// Its centre, `n` numbers.
        centre: Vec<f64>,
        /// The distance, in the unit of the readout.
        radius: f64,
    },
    /// All between two corners.
    Box {
        /// Least values, `n` numbers.
        low: Vec<f64>,
        /// Largest values, `n` numbers.
        high: Vec<f64>,
    },
}

impl Region {
    /// Checks the size.
    fn validate(&self) -> Result<(), String> {
        match self {
            Self::Circle { radius, .. } => check("radius", *radius).above(0.0)?.done(),
            Self::Box { low, high } => {
                let ordered = low.len() == high.len() && low.iter().zip(high).all(|(low, high)| low < high);
                ensure(
                    ordered,
                    "high",
                    format_args!("{high:?}"),
                    format_args!("as long as low ({low:?}), and above it"),
                )
            }
        }
    }

    /// Checks that it is of `width` numbers.
    fn fits(&self, width: usize) -> Result<(), String> {
        let (key, values) = match self {
            Self::Circle { centre, .. } => ("centre", centre),
            Self::Box { low, .. } => ("low", low),
        };
        ensure(values.len() == width, key, format_args!("{values:?}"), format_args!("{width} numbers, as the readout"))
    }

    /// How deep values are inside; 0 or less outside.
    ///
    /// # Shapes
    /// - values: `[m, horizon, n]`
    /// - output: `[m, horizon]`
    fn depths(&self, values: Tensor<3>) -> Tensor<2> {
        let [rows, horizon, width] = values.dims();
        let row = |numbers: Vec<f32>| Tensor::<3>::from_data(TensorData::new(numbers, [1, 1, width]), &values.device());
        match self {
            Self::Circle { centre, radius } => {
                let centre = row(centre.iter().map(|value| *value as f32).collect());
                -super::norms(values - centre) + *radius as f32
            }
            Self::Box { low, high } => {
                let pairs = || low.iter().zip(high);
                let middle = row(pairs().map(|(low, high)| f64::midpoint(*low, *high) as f32).collect());
                let half = row(pairs().map(|(low, high)| ((high - low) / 2.0) as f32).collect());
                (half - (values - middle).abs()).min_dim(2).reshape([rows, horizon])
            }
        }
    }

    /// Whether values are inside.
    fn holds(&self, values: &[f64]) -> bool {
        match self {
            Self::Circle { centre, radius } => {
                let squares = values.iter().zip(centre).map(|(value, centre)| (value - centre).powi(2));
                squares.sum::<f64>() < radius.powi(2)
            }
            Self::Box { low, high } => {
                let mut bounds = values.iter().zip(low).zip(high);
                bounds.all(|((value, low), high)| low < value && value < high)
            }
        }
    }
}

/// Keys of [`KeepOut`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeepOutConfig {
    /// Name of the readout. Default `position`: where the agent is, x and y in pixels.
    pub readout: String,
    /// Values of the readout that plans must not lead to; at least one region.
    pub regions: Vec<Region>,
    /// How far from the regions plans must stay, in the unit of the readout. Default 0.
    pub margin: f64,
}

impl Default for KeepOutConfig {
    fn default() -> Self {
        Self { readout: POSITION.to_owned(), regions: Vec::new(), margin: 0.0 }
    }
}

impl Options for KeepOutConfig {
    fn validate(&self) -> Result<(), String> {
        check("margin", self.margin).at_least(0.0)?;
        if self.regions.is_empty() {
            return Err(message("regions", "[]", "a list of at least one region"));
        }
        let mut regions = self.regions.iter().enumerate();
        regions.try_for_each(|(index, region)| within(&format!("regions.{index}"), region.validate()))
    }
}

/// What is read from imagined latents must stay out of regions. Violated by how deep it is inside a region and the margin around it,
/// summed over regions and steps. What really happened violates it if the agent is inside a region after a step; the margin is a plan's
/// alone.
pub struct KeepOut {
    readout: Readout,
    keys: KeepOutConfig,
}

impl KeepOut {
    /// A constraint with these keys.
    ///
    /// # Errors
    /// If a key is out of range, the model has no such readout, or a region is of another number of values.
    pub fn new(context: &CostContext, keys: KeepOutConfig) -> Result<Self, String> {
        keys.validate()?;
        let readout = Readout::new("readout", &keys.readout, &context.model)?;
        for (index, region) in keys.regions.iter().enumerate() {
            within(&format!("regions.{index}"), region.fits(readout.width()))?;
        }
        Ok(Self { readout, keys })
    }
}

impl Constraint for KeepOut {
    fn prepare(&self, _: &Scene) -> Result<Box<dyn Measure>, String> {
        Ok(Box::new(Depth { readout: self.readout.clone(), keys: self.keys.clone() }))
    }

    fn violated(&self, happened: &Happened<'_>) -> Result<Option<Vec<bool>>, String> {
        let inside = |[_, after]: &[Vec<f64>; 2]| self.keys.regions.iter().any(|region| region.holds(after));
        Ok(Some(happened.readout(&self.readout)?.iter().map(inside).collect()))
    }
}

struct Depth {
    readout: Readout,
    keys: KeepOutConfig,
}

impl Measure for Depth {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let [rows, samples, ..] = imagined.actions.dims();
        let values = self.readout.of(&imagined.latents);
        let depth = |region: &Region| (region.depths(values.clone()) + self.keys.margin as f32).clamp_min(0.0);
        let depths = self.keys.regions.iter().map(depth).reduce(|sum, depth| sum + depth);
        depths.expect("at least one region").sum_dim(1).reshape([rows, samples])
    }
}
