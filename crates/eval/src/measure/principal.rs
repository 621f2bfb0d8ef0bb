//! Principal components of features.

use super::leading::leading;
use super::symmetric::Symmetric;

/// The directions in which rows of numbers differ most, at right angles to each other, with signs that are no accident.
#[derive(Clone, Debug)]
pub struct PrincipalComponents {
    mean: Vec<f64>,
    axes: Vec<Vec<f64>>,
    explained: Vec<f64>,
}

impl PrincipalComponents {
    /// The first `count` of them. Directions that the rows do not have are 0. Time grows with the square of `width`.
    ///
    /// # Shapes
    /// - rows: `[n, width]`
    ///
    /// # Panics
    /// If there is no whole number of rows, or none at all.
    pub fn fit(rows: &[f32], width: usize, count: usize) -> Self {
        assert!(!rows.is_empty() && rows.len().is_multiple_of(width), "{} numbers in rows of {width}", rows.len());
        let number = (rows.len() / width) as f64;
        let mut mean = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        for sum in &mut mean {
            *sum /= number;
        }
        let covariance = Symmetric::gram(rows.chunks_exact(width), &mean).scale(1.0 / number);
        let whole: f64 = covariance.diagonal().sum();
        let mut pairs = leading(&covariance, count);
        pairs.resize_with(count, || (0.0, vec![0.0; width]));
        let share = |value: f64| if whole > 0.0 { value / whole } else { 0.0 };
        let (explained, axes) = pairs.into_iter().map(|(value, axis)| (share(value), axis)).unzip();
        Self { mean, axes, explained }
    }

    /// How far a row is from the mean along each of them.
    ///
    /// # Panics
    /// If it has another width.
    pub fn project(&self, row: &[f32]) -> Vec<f64> {
        assert_eq!(row.len(), self.mean.len(), "width of a row");
        let along = |axis: &Vec<f64>| {
            row.iter().zip(&self.mean).zip(axis).map(|((value, mean), axis)| (f64::from(*value) - mean) * axis).sum()
        };
        self.axes.iter().map(along).collect()
    }

    /// The share of the rows' variance that each of them has, from 0 to 1.
    pub fn explained(&self) -> &[f64] {
        &self.explained
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_the_longest_axis_of_a_cloud() {
        // Around (1, 2, 3): 4 along (0.6, 0.8, 0), 1 across it.
        let rows = [[3.4, 5.2, 3.0], [-1.4, -1.2, 3.0], [0.2, 2.6, 3.0], [1.8, 1.4, 3.0]].concat();
        let components = PrincipalComponents::fit(&rows, 3, 3);
        let near = |found: &[f64], expected: [f64; 3]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}, not {expected:?}");
        };
        near(components.explained(), [16.0 / 17.0, 1.0 / 17.0, 0.0]);
        near(&components.project(&[1.0, 2.0, 3.0]), [0.0, 0.0, 0.0]);
        near(&components.project(&[1.6, 2.8, 9.0]), [1.0, 0.0, 0.0]);
        // The entry of (0.8, -0.6, 0) that is farther from 0 is positive.
        near(&components.project(&[1.8, 1.4, 3.0]), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn rows_that_are_the_same_have_none() {
        let components = PrincipalComponents::fit(&[2.0, 5.0, 2.0, 5.0], 2, 3);
        assert_eq!((components.explained(), components.project(&[9.0, 9.0])), ([0.0; 3].as_slice(), vec![0.0; 3]));
    }
}
