//! Symmetric matrices in double precision: eigenvalues, and the solution of positive definite systems.
//!
//! A thousand dimensions or two and the eigenvalues alone are needed, once an evaluation.

/// Rows that [`Symmetric::gram`] adds at once.
const ROWS_AT_ONCE: usize = 16;

/// A symmetric matrix, stored whole, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Symmetric {
    values: Vec<f64>,
    size: usize,
}

impl Symmetric {
    /// `sum over rows of (row - centre) (row - centre)^T`.
    ///
    /// # Panics
    /// If a row has another length than the centre.
    pub(crate) fn gram<'a>(rows: impl Iterator<Item = &'a [f32]>, centre: &[f64]) -> Self {
        let size = centre.len();
        let mut values = vec![0.0; size * size];
        let mut rows = rows.peekable();
        // Several rows at a time, so that the matrix is read and written once for all of them.
        while rows.peek().is_some() {
            let centred: Vec<Vec<f64>> = rows
                .by_ref()
                .take(ROWS_AT_ONCE)
                .map(|row| {
                    assert_eq!(row.len(), size, "rows of one length");
                    row.iter().zip(centre).map(|(&value, centre)| f64::from(value) - centre).collect()
                })
                .collect();
            for (i, line) in values.chunks_exact_mut(size).enumerate() {
                for row in &centred {
                    let factor = row[i];
                    line[i..].iter_mut().zip(&row[i..]).for_each(|(sum, value)| *sum += factor * value);
                }
            }
        }
        for i in 0..size {
            for j in 0..i {
                values[i * size + j] = values[j * size + i];
            }
        }
        Self { values, size }
    }

    pub(crate) fn scale(mut self, factor: f64) -> Self {
        self.values.iter_mut().for_each(|value| *value *= factor);
        self
    }

    pub(crate) fn diagonal(&self) -> impl Iterator<Item = f64> {
        self.values.iter().step_by(self.size + 1).copied()
    }

    pub(crate) fn add_to_diagonal(mut self, value: f64) -> Self {
        self.values.iter_mut().step_by(self.size + 1).for_each(|entry| *entry += value);
        self
    }

    /// The sum of the squares of all entries, which is the sum of the squares of the eigenvalues.
    pub(crate) fn squared_norm(&self) -> f64 {
        self.values.iter().map(|value| value * value).sum()
    }

    /// The matrix times a vector.
    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        self.values.chunks_exact(self.size).map(|row| dot(row, vector)).collect()
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.size..(i + 1) * self.size]
    }

    /// Solves for each right-hand side by Cholesky decomposition; `None` when the matrix is not positive definite.
    pub(crate) fn solve<const N: usize>(mut self, mut right: [Vec<f64>; N]) -> Option<[Vec<f64>; N]> {
        let size = self.size;
        for i in 0..size {
            for j in 0..=i {
                let dot = dot(&self.row(i)[..j], &self.row(j)[..j]);
                let rest = self.values[i * size + j] - dot;
                self.values[i * size + j] = if i == j {
                    if rest.is_nan() || rest <= 0.0 {
                        return None;
                    }
                    rest.sqrt()
                } else {
                    rest / self.values[j * size + j]
                };
            }
        }
        for x in &mut right {
            for i in 0..size {
                let dot: f64 = self.row(i)[..i].iter().zip(&x[..i]).map(|(a, b)| a * b).sum();
                x[i] = (x[i] - dot) / self.row(i)[i];
            }
            for i in (0..size).rev() {
                x[i] /= self.row(i)[i];
                let (before, rest) = x.split_at_mut(i);
                before.iter_mut().zip(&self.row(i)[..i]).for_each(|(value, factor)| *value -= factor * rest[0]);
            }
        }
        Some(right)
    }

    /// All eigenvalues, ascending: Householder's reduction to a tridiagonal matrix (Golub and Van Loan, "Matrix Computations",
    /// algorithm 8.3.1), then bisection on the signs of its Sturm sequence (section 8.4.1).
    pub(crate) fn eigenvalues(self) -> Vec<f64> {
        let (diagonal, beside) = self.tridiagonal();
        let size = diagonal.len();
        // Gershgorin's circles hold every eigenvalue.
        let radius = |i: usize| beside.get(i).map_or(0.0, |b| b.abs()) + if i > 0 { beside[i - 1].abs() } else { 0.0 };
        let low = (0..size).map(|i| diagonal[i] - radius(i)).fold(f64::INFINITY, f64::min);
        let high = (0..size).map(|i| diagonal[i] + radius(i)).fold(f64::NEG_INFINITY, f64::max);
        let below = |bound: f64| {
            let (mut count, mut pivot) = (0, 1.0);
            for i in 0..size {
                let coupling = if i > 0 { beside[i - 1] * beside[i - 1] } else { 0.0 };
                pivot = diagonal[i] - bound - coupling / pivot;
                if pivot == 0.0 {
                    pivot = f64::MIN_POSITIVE.sqrt();
                }
                count += usize::from(pivot < 0.0);
            }
            count
        };
        (0..size)
            .map(|index| {
                let (mut low, mut high) = (low, high);
                loop {
                    let middle = f64::midpoint(low, high);
                    if middle <= low || middle >= high {
                        return middle;
                    }
                    if below(middle) <= index { low = middle } else { high = middle }
                }
            })
            .collect()
    }

    /// The diagonal, and the entries beside it, of a tridiagonal matrix with the same eigenvalues.
    fn tridiagonal(mut self) -> (Vec<f64>, Vec<f64>) {
        let size = self.size;
        let mut beside = Vec::with_capacity(size.saturating_sub(1));
        for k in 0..size.saturating_sub(1) {
            let mut mirror: Vec<f64> = (k + 1..size).map(|i| self.values[i * size + k]).collect();
            let length = mirror.iter().map(|value| value * value).sum::<f64>().sqrt();
            let reflected = if mirror[0] > 0.0 { -length } else { length };
            beside.push(reflected);
            mirror[0] -= reflected;
            let square: f64 = mirror.iter().map(|value| value * value).sum();
            if square == 0.0 {
                continue;
            }
            // A - v w^T - w v^T with w = p - (p.v / v.v) v and p = 2 A v / v.v, on the rows and columns after k.
            let mut image: Vec<f64> = (k + 1..size)
                .map(|i| 2.0 / square * self.row(i)[k + 1..].iter().zip(&mirror).map(|(a, b)| a * b).sum::<f64>())
                .collect();
            let share = image.iter().zip(&mirror).map(|(a, b)| a * b).sum::<f64>() / square;
            image.iter_mut().zip(&mirror).for_each(|(to, value)| *to -= share * value);
            for (i, line) in self.values.chunks_exact_mut(size).skip(k + 1).enumerate() {
                let (v, w) = (mirror[i], image[i]);
                let pairs = mirror.iter().zip(&image);
                line[k + 1..].iter_mut().zip(pairs).for_each(|(value, (b, a))| *value -= v * a + w * b);
            }
        }
        (self.diagonal().collect(), beside)
    }
}

/// A scalar product, summed in eight lanes.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, rest_a) = a.as_chunks::<8>();
    let (b, rest_b) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    lanes.iter().sum::<f64>() + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(size: usize, values: &[f64]) -> Symmetric {
        Symmetric { values: values.to_vec(), size }
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} against {expected:?}");
    }

    #[test]
    fn gram_is_the_sum_of_outer_products() {
        let rows: [&[f32]; 2] = [&[1.0, 2.0], &[3.0, 5.0]];
        assert_eq!(Symmetric::gram(rows.into_iter(), &[0.0, 0.0]).values, [10.0, 17.0, 17.0, 29.0]);
        assert_eq!(Symmetric::gram(rows.into_iter(), &[2.0, 3.5]).values, [2.0, 3.0, 3.0, 4.5]);
    }

    #[test]
    fn eigenvalues_of_known_matrices() {
        near(&matrix(1, &[3.0]).eigenvalues(), &[3.0]);
        near(&matrix(2, &[2.0, 1.0, 1.0, 2.0]).eigenvalues(), &[1.0, 3.0]);
        near(&matrix(3, &[2.0, 0.0, 0.0, 0.0, -4.0, 0.0, 0.0, 0.0, 2.0]).eigenvalues(), &[-4.0, 2.0, 2.0]);
        // All ones: 4 and three zeros.
        near(&matrix(4, &[1.0; 16]).eigenvalues(), &[0.0, 0.0, 0.0, 4.0]);
        near(&matrix(3, &[0.0; 9]).eigenvalues(), &[0.0; 3]);
        // The second difference matrix: 2 - 2 cos(k pi / (n + 1)).
        let size = 12;
        let entry = |i: usize, j: usize| if i == j { 2.0 } else { -f64::from(i.abs_diff(j) == 1) };
        let values: Vec<f64> = (0..size * size).map(|index| entry(index / size, index % size)).collect();
        let expected: Vec<f64> =
            (1..=size).map(|k| 2.0 - 2.0 * (k as f64 * std::f64::consts::PI / (size as f64 + 1.0)).cos()).collect();
        near(&matrix(size, &values).eigenvalues(), &expected);
    }

    #[test]
    fn eigenvalues_keep_trace_and_norm_of_a_full_matrix() {
        let size = 30;
        let values: Vec<f64> = (0..size * size)
            .map(|index| {
                let (i, j) = (index / size, index % size);
                ((i.min(j) * 7 + i.max(j) * 13) as f64).sin()
            })
            .collect();
        let full = matrix(size, &values);
        let (trace, squares): (f64, f64) = (full.diagonal().sum(), full.squared_norm());
        let found = full.eigenvalues();
        assert!((found.iter().sum::<f64>() - trace).abs() < 1e-9);
        assert!((found.iter().map(|value| value * value).sum::<f64>() - squares).abs() < 1e-8);
        assert!(found.is_sorted());
    }

    #[test]
    fn systems_are_solved_or_refused() {
        let solved = matrix(2, &[4.0, 2.0, 2.0, 3.0]).solve([vec![8.0, 7.0], vec![2.0, 1.0]]).unwrap();
        near(&solved[0], &[1.25, 1.5]);
        near(&solved[1], &[0.5, 0.0]);
        assert!(matrix(2, &[1.0, 2.0, 2.0, 1.0]).solve([vec![1.0, 1.0]]).is_none());
    }
}
