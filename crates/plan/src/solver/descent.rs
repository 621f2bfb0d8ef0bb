//! Steps downhill: what derivatives do to actions.

use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How derivatives become a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepRule {
    /// Adam (Kingma and Ba 2015, algorithm 1), with 0.9, 0.999 and 1e-8: the step does not grow with the derivative.
    #[default]
    Adam,
    /// The derivative times the learning rate.
    Sgd,
}

/// Adam's decay of the mean and of the mean square of derivatives, and what is added to the root of the latter.
const DECAY: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;
/// What is added to a norm before dividing by it, as in `torch.nn.utils.clip_grad_norm_`.
const CLIP_EPSILON: f32 = 1e-6;

/// How far candidates step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stride {
    /// How derivatives become a step.
    pub rule: StepRule,
    /// Length of a step, in the unit of actions (`sgd`: times the derivative).
    pub learning_rate: f64,
    /// Largest Euclidean norm of the derivatives of one candidate; longer ones are shortened. `None`: any.
    pub clip: Option<f64>,
}

impl Stride {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        check("learning_rate", self.learning_rate).above(0.0)?;
        self.clip.map_or(Ok(()), |clip| check("clip", clip).above(0.0)?.done())
    }
}

/// Candidates on their way down, each by itself.
#[derive(Clone, Debug)]
pub struct Descent {
    stride: Stride,
    /// Numbers in a candidate.
    sequence: usize,
    /// Decaying means of the derivatives and of their squares, as long as the actions.
    moments: [Vec<f32>; 2],
    steps: i32,
}

impl Descent {
    /// A descent of candidates of `sequence` numbers each, which has not begun.
    pub fn new(stride: Stride, sequence: usize, numbers: usize) -> Self {
        Self { stride, sequence, moments: [vec![0.0; numbers], vec![0.0; numbers]], steps: 0 }
    }

    /// Moves candidates against their derivatives. A candidate whose derivatives are not all finite stays where it is.
    ///
    /// # Shapes
    /// - actions, gradient: `[candidates, sequence]`
    ///
    /// # Panics
    /// If they are not as many numbers as the descent was made for.
    pub fn step(&mut self, actions: &mut [f32], mut gradient: Vec<f32>) {
        assert_eq!([actions.len(), gradient.len()], [self.moments[0].len(); 2], "numbers of a descent");
        for candidate in gradient.chunks_exact_mut(self.sequence) {
            self.tame(candidate);
        }
        self.steps += 1;
        let rate = self.stride.learning_rate as f32;
        match self.stride.rule {
            StepRule::Sgd => actions.iter_mut().zip(gradient).for_each(|(action, slope)| *action -= rate * slope),
            StepRule::Adam => self.adam(actions, &gradient, rate),
        }
    }

    /// Shortens the derivatives of a candidate; those that are no use become zero.
    fn tame(&self, gradient: &mut [f32]) {
        if gradient.iter().any(|slope| !slope.is_finite()) {
            gradient.fill(0.0);
        } else if let Some(clip) = self.stride.clip {
            let norm = gradient.iter().map(|slope| slope * slope).sum::<f32>().sqrt();
            let scale = (clip as f32 / (norm + CLIP_EPSILON)).min(1.0);
            for slope in gradient {
                *slope *= scale;
            }
        }
    }

    fn adam(&mut self, actions: &mut [f32], gradient: &[f32], rate: f32) {
        let [first, second] = DECAY.map(|decay| 1.0 - decay.powi(self.steps));
        let [means, squares] = &mut self.moments;
        for (((action, slope), mean), square) in actions.iter_mut().zip(gradient).zip(means).zip(squares) {
            *mean = DECAY[0] * *mean + (1.0 - DECAY[0]) * slope;
            *square = DECAY[1] * *square + (1.0 - DECAY[1]) * slope * slope;
            *action -= rate / first * *mean / ((*square / second).sqrt() + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stride(rule: StepRule, clip: Option<f64>) -> Stride {
        Stride { rule, learning_rate: 0.5, clip }
    }

    #[test]
    fn the_rules_by_hand() {
        let mut actions = [1.0, 2.0];
        Descent::new(stride(StepRule::Sgd, None), 2, 2).step(&mut actions, vec![3.0, -4.0]);
        assert_eq!(actions, [-0.5, 4.0]);
        // The norm is 5 and may be 1: the step is a fifth.
        let mut actions = [1.0, 2.0];
        Descent::new(stride(StepRule::Sgd, Some(1.0)), 2, 2).step(&mut actions, vec![3.0, -4.0]);
        assert!((actions[0] - 0.7).abs() < 1e-6 && (actions[1] - 2.4).abs() < 1e-6, "{actions:?}");
        // Adam's first step is the learning rate against the sign. Then the mean is (0.1 * 0.9 * 2 + 0.1 * 1) / 0.19, the mean
        // square (0.001 * 0.999 * 4 + 0.001) / 0.001999.
        let (mut actions, mut adam) = ([1.0], Descent::new(stride(StepRule::Adam, None), 1, 1));
        adam.step(&mut actions, vec![2.0]);
        assert!((actions[0] - 0.5).abs() < 1e-6, "{actions:?}");
        adam.step(&mut actions, vec![1.0]);
        let step = 0.5 * (0.28 / 0.19) / (4.996_f32 / 1.999).sqrt();
        assert!((actions[0] - (0.5 - step)).abs() < 1e-5, "{actions:?}");
    }

    #[test]
    fn derivatives_that_are_no_numbers_move_nobody_else() {
        for rule in [StepRule::Sgd, StepRule::Adam] {
            let mut actions = [1.0, 1.0, 1.0, 1.0];
            let mut descent = Descent::new(stride(rule, None), 2, 4);
            descent.step(&mut actions, vec![f32::NAN, 1.0, 1.0, 0.0]);
            assert_eq!((actions[0], actions[1], actions[3]), (1.0, 1.0, 1.0), "{rule:?}");
            assert!((actions[2] - 0.5).abs() < 1e-6, "{rule:?} {actions:?}");
        }
    }
}
