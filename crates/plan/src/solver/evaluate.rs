//! Candidates judged, and the answer on the host, where solvers work.

use burn::prelude::*;

use crate::score::{Score, Scores};

/// What candidates are worth, `[b, samples]` each, never NaN.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) costs: Vec<f32>,
    /// `None` without constraints.
    pub(super) violations: Option<Vec<f32>>,
}

/// What candidates are worth, and the derivatives, `[b, samples, horizon, a]` each.
#[derive(Clone, Debug)]
pub(super) struct Slopes {
    pub(super) values: Values,
    pub(super) costs: Vec<f32>,
    /// `None` without constraints.
    pub(super) violations: Option<Vec<f32>>,
}

impl Values {
    fn of(scores: Scores, shape: [usize; 2]) -> Self {
        Self {
            costs: host(scores.costs, shape),
            violations: scores.violations.map(|violations| host(violations, shape)),
        }
    }

    /// Cost and violation of one candidate.
    pub(super) fn at(&self, candidate: usize) -> (f32, f32) {
        (self.costs[candidate], self.violations.as_ref().map_or(0.0, |violations| violations[candidate]))
    }
}

impl Slopes {
    /// Where each candidate gets better by the feasibility rule: the derivatives of its violation if it violates constraints, else
    /// those of its cost, `[b, samples, horizon, a]`.
    pub(super) fn to_better(&self, sequence: usize) -> Vec<f32> {
        let mut gradient = self.costs.clone();
        if let Some(violations) = &self.violations {
            let parts = gradient.chunks_exact_mut(sequence).zip(violations.chunks_exact(sequence));
            for (candidate, (costs, violations)) in parts.enumerate() {
                if self.values.at(candidate).1 > 0.0 {
                    costs.copy_from_slice(violations);
                }
            }
        }
        gradient
    }
}

/// Judges candidates, `[b, samples, horizon, a]`.
pub(super) fn score(score: &dyn Score, actions: &[f32], shape: [usize; 4]) -> Values {
    Values::of(score.score(upload(score, actions, shape)), [shape[0], shape[1]])
}

/// Judges candidates, `[b, samples, horizon, a]`, and differentiates.
///
/// # Errors
/// What keeps the score from having derivatives, after the name of the solver that asks.
pub(super) fn slopes(solver: &str, score: &dyn Score, actions: &[f32], shape: [usize; 4]) -> Result<Slopes, String> {
    let gradients = score.gradients(upload(score, actions, shape));
    let gradients = gradients.map_err(|cause| format!("the solver {solver} needs derivatives, but {cause}"))?;
    let numbers = |gradient: Tensor<4>| {
        assert_eq!(gradient.dims(), shape, "derivatives must be those of all candidates");
        gradient.into_data().try_into_vec_as::<f32>().expect("derivatives are floats")
    };
    Ok(Slopes {
        values: Values::of(gradients.scores, [shape[0], shape[1]]),
        costs: numbers(gradients.costs),
        violations: gradients.violations.map(numbers),
    })
}

pub(super) fn upload(score: &dyn Score, actions: &[f32], shape: [usize; 4]) -> Tensor<4> {
    Tensor::from_data(TensorData::new(actions.to_vec(), shape), &score.device())
}

/// Values on the host; what is not a number becomes infinite.
pub(super) fn host(values: Tensor<2>, shape: [usize; 2]) -> Vec<f32> {
    assert_eq!(values.dims(), shape, "a score of candidates must be [b, samples]");
    let mut values = values.into_data().try_into_vec_as::<f32>().expect("scores are floats");
    values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = f32::INFINITY);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_is_infinite() {
        let values = Tensor::<2>::from_floats([[1.0, f32::NAN], [f32::NEG_INFINITY, 2.0]], &Device::flex());
        assert_eq!(host(values, [2, 2]), [1.0, f32::INFINITY, f32::NEG_INFINITY, 2.0]);
    }

    #[test]
    fn who_violates_a_constraint_goes_where_it_violates_less() {
        let values = Values { costs: vec![1.0, 2.0], violations: Some(vec![0.0, 3.0]) };
        let slopes = Slopes { values, costs: vec![1.0, 2.0, 3.0, 4.0], violations: Some(vec![5.0, 6.0, 7.0, 8.0]) };
        assert_eq!(slopes.to_better(2), [1.0, 2.0, 7.0, 8.0]);
    }
}
