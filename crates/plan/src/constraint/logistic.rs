//! Logistic regression from few examples of many numbers.

/// Newton steps at most; from few examples it takes about ten.
const NEWTON_STEPS: usize = 100;
/// The gradient's norm at which the fit is done, or the share of it that conjugate gradients leave.
const TOLERANCE: f64 = 1e-10;
/// What keeps the curvature along the intercept above zero.
const RIDGE: f64 = 1e-12;

/// The logarithm of the odds that something holds, linear in the features.
#[derive(Clone, Debug, PartialEq)]
pub struct Logistic {
    /// Of every feature.
    pub weights: Vec<f64>,
    /// Added to the weighted sum.
    pub intercept: f64,
}

impl Logistic {
    /// Fits it to labelled rows of features. Both labels weigh the same, however many rows have them.
    ///
    /// Features are centred and divided by one number, so that the mean of their squared norm is 1; then the mean log loss plus
    /// `penalty / 2 * |weights|²` is minimised, by Newton's method with conjugate gradients and the halving of steps, from zero: the
    /// result is a function of the examples alone.
    ///
    /// # Shapes
    /// - features: `[n, dim]`, row-major
    /// - labels: `n`
    ///
    /// # Errors
    /// If a label does not occur.
    ///
    /// # Panics
    /// If features do not fill rows, or the penalty is not above 0.
    pub fn fit(features: &[f32], labels: &[bool], penalty: f64) -> Result<Self, String> {
        let count = labels.len();
        let positive = labels.iter().filter(|label| **label).count();
        if positive == 0 || positive == count {
            return Err(format!("{positive} of {count} examples have label 1; both labels are needed"));
        }
        assert!(penalty > 0.0, "a penalty of {penalty}");
        assert!(features.len().is_multiple_of(count), "{} features of {count} examples", features.len());
        let dim = features.len() / count;
        let mean: Vec<f64> = (0..dim)
            .map(|column| features.iter().skip(column).step_by(dim).map(|value| f64::from(*value)).sum::<f64>())
            .map(|sum| sum / count as f64)
            .collect();
        let mut rows: Vec<f64> =
            features.iter().zip(mean.iter().cycle()).map(|(value, mean)| f64::from(*value) - mean).collect();
        let scale = (rows.iter().map(|value| value * value).sum::<f64>() / count as f64).sqrt();
        // Rows that are all alike say nothing: their weights stay 0.
        let scale = if scale > 0.0 { scale } else { 1.0 };
        for value in &mut rows {
            *value /= scale;
        }
        let weight = |label: bool| 0.5 / if label { positive } else { count - positive } as f64;
        let problem =
            Problem { rows, dim, labels, weight: labels.iter().map(|label| weight(*label)).collect(), penalty };
        let solution = problem.minimum();
        let weights: Vec<f64> = solution[..dim].iter().map(|weight| weight / scale).collect();
        let intercept = solution[dim] - dot(&weights, &mean);
        Ok(Self { weights, intercept })
    }

    /// The logarithm of the odds for one row of features.
    ///
    /// # Panics
    /// If the row has another length.
    pub fn logit(&self, features: &[f32]) -> f64 {
        assert_eq!(features.len(), self.weights.len(), "features of another length");
        let pairs = features.iter().zip(&self.weights);
        self.intercept + pairs.map(|(value, weight)| f64::from(*value) * weight).sum::<f64>()
    }
}

/// What is minimised, over the weights and, last, the intercept.
struct Problem<'a> {
    /// `[n, dim]`
    rows: Vec<f64>,
    dim: usize,
    labels: &'a [bool],
    /// Of every row.
    weight: Vec<f64>,
    penalty: f64,
}

impl Problem<'_> {
    /// Logits of all rows, or what a direction changes them by.
    fn logits(&self, x: &[f64]) -> Vec<f64> {
        (0..self.labels.len()).map(|row| dot(self.row(row), &x[..self.dim]) + x[self.dim]).collect()
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.rows[row * self.dim..][..self.dim]
    }

    /// What factors of the logits come to in the weights and the intercept.
    fn back(&self, factors: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.dim + 1];
        for (row, factor) in factors.iter().enumerate() {
            sum[..self.dim].iter_mut().zip(self.row(row)).for_each(|(sum, value)| *sum += factor * value);
            sum[self.dim] += factor;
        }
        sum
    }

    fn objective(&self, x: &[f64]) -> f64 {
        let loss = |(logit, label): (f64, &bool)| {
            let margin = if *label { logit } else { -logit };
            (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
        };
        let losses = self.logits(x).into_iter().zip(self.labels).map(loss);
        let sum: f64 = losses.zip(&self.weight).map(|(loss, weight)| loss * weight).sum();
        sum + self.penalty / 2.0 * dot(&x[..self.dim], &x[..self.dim])
    }

    /// The gradient, and the curvature of the loss in every logit.
    fn gradient(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let probabilities: Vec<f64> = self.logits(x).into_iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect();
        let rows = || probabilities.iter().zip(self.labels).zip(&self.weight);
        let error = |((p, label), weight): ((&f64, &bool), &f64)| weight * (p - f64::from(u8::from(*label)));
        let mut gradient = self.back(&rows().map(error).collect::<Vec<_>>());
        gradient[..self.dim].iter_mut().zip(x).for_each(|(sum, value)| *sum += self.penalty * value);
        (gradient, rows().map(|((p, _), weight)| weight * p * (1.0 - p)).collect())
    }

    /// The matrix of second derivatives times a direction.
    fn curved(&self, curvature: &[f64], direction: &[f64]) -> Vec<f64> {
        let factors: Vec<f64> =
            self.logits(direction).into_iter().zip(curvature).map(|(change, curvature)| change * curvature).collect();
        let mut out = self.back(&factors);
        out[..self.dim].iter_mut().zip(direction).for_each(|(sum, value)| *sum += self.penalty * value);
        out[self.dim] += RIDGE * direction[self.dim];
        out
    }

    /// The step that Newton's method takes, by conjugate gradients.
    fn step(&self, gradient: &[f64], curvature: &[f64]) -> Vec<f64> {
        let mut step = vec![0.0; gradient.len()];
        let mut rest: Vec<f64> = gradient.iter().map(|value| -value).collect();
        let mut direction = rest.clone();
        let mut square = dot(&rest, &rest);
        let enough = square * TOLERANCE * TOLERANCE;
        // Of n examples the matrix has n directions beside its ridge.
        for _ in 0..2 * self.labels.len() + 10 {
            if square <= enough {
                break;
            }
            let image = self.curved(curvature, &direction);
            let length = square / dot(&direction, &image);
            step.iter_mut().zip(&direction).for_each(|(to, value)| *to += length * value);
            rest.iter_mut().zip(&image).for_each(|(to, value)| *to -= length * value);
            let next = dot(&rest, &rest);
            direction.iter_mut().zip(&rest).for_each(|(to, value)| *to = value + next / square * *to);
            square = next;
        }
        step
    }

    /// Where it is least: weights and intercept.
    fn minimum(&self) -> Vec<f64> {
        let mut x = vec![0.0; self.dim + 1];
        let mut best = self.objective(&x);
        for _ in 0..NEWTON_STEPS {
            let (gradient, curvature) = self.gradient(&x);
            if dot(&gradient, &gradient).sqrt() < TOLERANCE {
                break;
            }
            let step = self.step(&gradient, &curvature);
            let moved = |share: f64| -> Vec<f64> { x.iter().zip(&step).map(|(x, step)| x + share * step).collect() };
            let shares = (0..40).map(|halvings| 0.5_f64.powi(halvings));
            let mut tried = shares.map(moved).map(|x| (self.objective(&x), x));
            let Some((value, next)) = tried.find(|(value, _)| *value < best) else { break };
            (best, x) = (value, next);
        }
        x
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `1 / (1 + e)` is the slope of the loss: the weight is 1.
    const PENALTY: f64 = 0.268_941_421_369_995_1;

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-8, "{got} instead of {expected}");
    }

    #[test]
    fn one_feature_by_hand() {
        let fit = Logistic::fit(&[-1.0, 1.0], &[false, true], PENALTY).unwrap();
        close(fit.weights[0], 1.0);
        close(fit.intercept, 0.0);
        // Centred on 6, in units of 2.
        let fit = Logistic::fit(&[8.0, 4.0], &[true, false], PENALTY).unwrap();
        close(fit.weights[0], 0.5);
        close(fit.intercept, -3.0);
        close(fit.logit(&[8.0]), 1.0);
    }

    #[test]
    fn both_labels_weigh_the_same() {
        let fit = Logistic::fit(&[0.0, 0.0, 0.0, 2.0], &[false, false, false, true], 0.01).unwrap();
        close(fit.logit(&[1.0]), 0.0);
        assert!(fit.logit(&[2.0]) > 2.0, "{fit:?}");
    }

    #[test]
    fn the_gradient_vanishes_with_more_features_than_examples() {
        // Example, column: any numbers.
        let features: Vec<f32> = (0..6 * 40).map(|index| (index as f32 * 1.7).sin() + index as f32 % 3.0).collect();
        let labels = [true, false, false, true, false, false];
        let fit = Logistic::fit(&features, &labels, 1e-3).unwrap();
        for (row, label) in features.chunks_exact(40).zip(labels) {
            assert_eq!(fit.logit(row) > 0.0, label);
        }
        let again = Logistic::fit(&features, &labels, 1e-3).unwrap();
        assert_eq!(fit, again);
        // What the weights are pulled back by is what the errors of the examples pull: sum of c (t - p) (x - mean) / s².
        let rows: Vec<&[f32]> = features.chunks_exact(40).collect();
        let mean = |column: usize| rows.iter().map(|row| f64::from(row[column])).sum::<f64>() / 6.0;
        let centred = |row: usize, column: usize| f64::from(rows[row][column]) - mean(column);
        let squares = (0..6).flat_map(|row| (0..40).map(move |column| (row, column)));
        let square = squares.map(|(row, column)| centred(row, column).powi(2)).sum::<f64>() / 6.0;
        for column in [0, 7, 39] {
            let pull = |row: usize| {
                let weight = if labels[row] { 0.25 } else { 0.125 };
                let p = 1.0 / (1.0 + (-fit.logit(rows[row])).exp());
                weight * (f64::from(u8::from(labels[row])) - p) * centred(row, column)
            };
            close(fit.weights[column] * 1e-3 * square, (0..6).map(pull).sum());
        }
    }

    #[test]
    fn one_label_alone_is_refused() {
        let message = Logistic::fit(&[1.0, 2.0], &[true, true], 1.0).unwrap_err();
        assert_eq!(message, "2 of 2 examples have label 1; both labels are needed");
        let alike = Logistic::fit(&[3.0, 3.0], &[true, false], 1.0).unwrap();
        assert_eq!((alike.weights[0], alike.intercept), (0.0, 0.0));
    }
}
