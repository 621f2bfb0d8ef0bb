//! `AdamW` (Loshchilov and Hutter, 2019, algorithm 2), as `torch.optim.AdamW`.

use super::super::parallel::{collect, each};

use super::super::Level;
use super::super::level::{Vectorised, at};
use super::chunks::{CHUNK, SumOfSquares};

/// A parameter and what belongs to it, all of one length.
pub struct Parameter<'a> {
    /// Its numbers.
    pub values: &'a mut [f32],
    /// Their gradient.
    pub gradient: &'a [f32],
    /// First moment.
    pub first: &'a mut [f32],
    /// Second moment.
    pub second: &'a mut [f32],
    /// The numbers of the formula.
    pub constants: Constants,
}

/// The numbers of the formula for one parameter.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    /// Factor of the gradient.
    pub scale: f32,
    /// Decay rates of the moments.
    pub betas: [f32; 2],
    /// `1 - beta`
    pub new: [f32; 2],
    /// `1 - beta^t`, with `t` the steps made, this one included.
    pub corrections: [f32; 2],
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Factor of the parameter: one minus the learning rate times the decay.
    pub keep: f32,
    /// Learning rate.
    pub learning_rate: f32,
}

/// The Euclidean norm of all numbers together.
pub fn norm<'a>(level: Level, gradients: impl IntoIterator<Item = &'a [f32]>) -> f64 {
    let chunks: Vec<&[f32]> = gradients.into_iter().flat_map(|gradient| gradient.chunks(CHUNK)).collect();
    let squares: Vec<f64> = collect(chunks, |chunk| at(level, SumOfSquares(chunk)));
    squares.into_iter().sum::<f64>().sqrt()
}

/// Makes a step of all parameters: with `g = gradient * scale`,
/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, then
/// `p = keep p - learning_rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`.
///
/// # Panics
/// If the lengths of a parameter's slices differ.
pub fn step<'a>(level: Level, parameters: impl IntoIterator<Item = Parameter<'a>>) {
    let mut chunks = Vec::new();
    for Parameter { values, gradient, first, second, constants } in parameters {
        let lengths = [gradient.len(), first.len(), second.len()];
        assert!(lengths == [values.len(); 3], "{} numbers with gradient and moments of {lengths:?}", values.len());
        let parts = values.chunks_mut(CHUNK).zip(gradient.chunks(CHUNK));
        let moments = first.chunks_mut(CHUNK).zip(second.chunks_mut(CHUNK));
        chunks.extend(parts.zip(moments).map(|((values, gradient), (first, second))| Parameter {
            values,
            gradient,
            first,
            second,
            constants,
        }));
    }
    each(chunks, |chunk| at(level, chunk));
}

impl Vectorised for Parameter<'_> {
    type Output = ();

    // Never with fused multiply-adds: the same numbers at every level.
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Constants { scale, betas, new, corrections, epsilon, keep, learning_rate } = self.constants;
        let moments = self.first.iter_mut().zip(self.second);
        for ((value, gradient), (first, second)) in self.values.iter_mut().zip(self.gradient).zip(moments) {
            let gradient = gradient * scale;
            *first = *first * betas[0] + gradient * new[0];
            *second = *second * betas[1] + gradient * gradient * new[1];
            let step = (*first / corrections[0]) / ((*second / corrections[1]).sqrt() + epsilon);
            *value = *value * keep - step * learning_rate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_gives_the_same_numbers() {
        let values = |phase: f32| -> Vec<f32> { (0..1003).map(|i| (i as f32 * 0.37 + phase).sin()).collect() };
        let betas = [0.9_f32, 0.999];
        let constants = Constants {
            scale: 0.7,
            betas,
            new: betas.map(|beta| 1.0 - beta),
            corrections: betas.map(|beta| 1.0 - beta.powi(3)),
            epsilon: 1e-8,
            keep: 0.999,
            learning_rate: 0.01,
        };
        let at_level = |level: Level| {
            let (mut parameter, mut first, mut second) = (values(0.0), values(1.0), values(2.0));
            for value in &mut second {
                *value *= *value;
            }
            let gradient = values(3.0);
            let all = Parameter {
                values: &mut parameter,
                gradient: &gradient,
                first: &mut first,
                second: &mut second,
                constants,
            };
            step(level, [all]);
            (parameter, first, second, norm(level, [&gradient[..]]))
        };
        let plain = at_level(Level::PORTABLE);
        for level in Level::available() {
            assert_eq!(at_level(level), plain, "{level}");
        }
    }
}
