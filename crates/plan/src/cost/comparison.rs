//! How what is imagined is compared with a goal.

use burn::prelude::*;
use prevision_core::config::check::ensure;
use prevision_kernels::squared_distances;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Imagined, Steps};

/// How far two rows of `n` numbers, `x` and `y`, are apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The mean of the squared differences, `|x - y|² / n`.
    #[default]
    Squared,
    /// The mean of the absolute differences.
    L1,
    /// The root of the mean of the squared differences, `|x - y| / √n`.
    L2,
    /// One less the cosine of the angle between the rows, `1 - x·y / (|x| |y|)`; 1 where one of them is zero.
    Cosine,
}

/// A metric, which steps count, and how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Comparison {
    pub(super) metric: Metric,
    pub(super) steps: Steps,
    /// Step `t` of those that count, from 0, weighs `discount^t`.
    pub(super) discount: f64,
}

impl Comparison {
    /// Checks the discount.
    ///
    /// # Errors
    /// The key, the value and what is allowed.
    pub(super) fn validate(self) -> Result<(), String> {
        let Self { steps, discount, .. } = self;
        ensure(discount > 0.0 && discount <= 1.0, "discount", discount, "above 0, and 1 or less")?;
        let counts = discount == 1.0 || steps == Steps::Summed;
        ensure(counts, "discount", discount, "1 with steps = \"last\", which counts one step alone")
    }

    /// The sum over the steps that count of their weighted distances to the goal.
    ///
    /// # Shapes
    /// - values: of what is imagined, `[b * samples, horizon, n]`
    /// - goals: of all episodes of the scene, `[scene, n]`
    /// - output: `[b, samples]`
    pub(super) fn sum(self, values: Tensor<3>, goals: &Tensor<2>, imagined: &Imagined) -> Tensor<2> {
        let values = self.steps.counted(values, 1);
        let ([_, steps, n], [rows, samples, ..]) = (values.dims(), imagined.actions.dims());
        let goals = goals.clone().narrow(0, imagined.rows.start, rows);
        if self.metric == Metric::Squared && self.discount == 1.0 {
            return squared_distances(values.reshape([rows, samples, steps * n]), goals) / n as f32;
        }
        let difference = || {
            let goals = goals.clone().repeat_dim(1, steps).unsqueeze_dim(1);
            values.clone().reshape([rows, samples, steps * n]) - goals
        };
        // `width` numbers of a step, whose mean is the distance.
        let (distances, width) = match self.metric {
            Metric::Squared => (difference().square(), n),
            Metric::L1 => (difference().abs(), n),
            Metric::L2 => {
                let squares = difference().square().reshape([rows, samples, steps, n]).mean_dim(3);
                (root(squares).reshape([rows, samples, steps]), 1)
            }
            Metric::Cosine => {
                let values = values.reshape([rows, samples, steps, n]);
                (1.0 - cosine(values, goals.reshape([rows, 1, 1, n])).reshape([rows, samples, steps]), 1)
            }
        };
        self.weighted(distances, steps).sum_dim(2).reshape([rows, samples]) / width as f32
    }

    /// Multiplies what belongs to each step by the step's weight.
    ///
    /// # Shapes
    /// - values and output: `[b, samples, steps * width]`
    fn weighted(self, values: Tensor<3>, steps: usize) -> Tensor<3> {
        if self.discount == 1.0 {
            return values;
        }
        let [rows, samples, all] = values.dims();
        let weights: Vec<f32> = (0..steps).map(|step| self.discount.powf(step as f64) as f32).collect();
        let weights = Tensor::<4>::from_data(TensorData::new(weights, [1, 1, steps, 1]), &values.device());
        (values.reshape([rows, samples, steps, all / steps]) * weights).reshape([rows, samples, all])
    }
}

/// The root, whose gradient at 0 is 0.
fn root(squares: Tensor<4>) -> Tensor<4> {
    squares.clamp_min(f32::MIN_POSITIVE).sqrt()
}

/// The cosine of the angle between rows of numbers; 0 where one is zero.
fn cosine(x: Tensor<4>, y: Tensor<4>) -> Tensor<4> {
    let length = |row: &Tensor<4>| root(row.clone().square().sum_dim(3));
    (x.clone() / length(&x) * (y.clone() / length(&y))).sum_dim(3)
}
