//! The largest eigenvalues of a symmetric matrix, and their vectors.

use super::symmetric::Symmetric;

/// Vectors that are turned beside those that are wanted: the more there are, the faster these settle.
const MORE: usize = 6;
/// Rounds at most; what has not settled by then differs from its neighbour by less than it matters.
const ROUNDS: usize = 500;
/// A vector has settled if its image differs from its multiple by so much of the largest eigenvalue.
const SETTLED: f64 = 1e-10;
/// A vector of which others leave so little, of the longest one, has nothing of its own; and so a direction with so little of the largest
/// eigenvalue.
const NOTHING: f64 = 1e-10;

/// An eigenvalue and its vector, of length 1, or of length 0 if the matrix has not so many directions.
pub(super) type Pair = (f64, Vec<f64>);

/// The `count` largest eigenvalues of a matrix without negative ones, descending, by subspace iteration with Rayleigh and Ritz (Golub and Van
/// Loan, "Matrix Computations", section 8.2.4). The entry of a vector that is farthest from 0 is positive, so that its sign is no accident.
pub(super) fn leading(matrix: &Symmetric, count: usize) -> Vec<Pair> {
    let size = matrix.diagonal().count();
    let block = (count + MORE).min(size);
    // Any start that is orthogonal to nothing.
    let start = |column: usize, row: usize| ((row * block + column + 1) as f64 * 0.618_033_988_749_895).fract() - 0.5;
    let mut vectors: Vec<Vec<f64>> =
        (0..block).map(|column| (0..size).map(|row| start(column, row)).collect()).collect();
    orthogonalise(&mut vectors);
    let mut values = vec![0.0; block];
    for _ in 0..ROUNDS {
        let images: Vec<Vec<f64>> = vectors.iter().map(|vector| matrix.times(vector)).collect();
        let small: Vec<Vec<f64>> =
            vectors.iter().map(|vector| images.iter().map(|image| dot(vector, image)).collect()).collect();
        let (found, turn) = jacobi(small);
        values = found;
        vectors = turned(&vectors, &turn);
        let images = turned(&images, &turn);
        let apart = |place: usize| {
            let off = images[place].iter().zip(&vectors[place]).map(|(image, x)| (image - values[place] * x).powi(2));
            off.sum::<f64>().sqrt()
        };
        if (0..count.min(block)).all(|place| apart(place) <= SETTLED * values[0]) {
            break;
        }
        vectors = images;
        orthogonalise(&mut vectors);
    }
    let least = NOTHING * values.first().copied().unwrap_or(0.0);
    let pairs = values.into_iter().zip(vectors).take(count);
    pairs
        .map(|(value, vector)| if value > least { (value, with_sign(vector)) } else { (0.0, vec![0.0; size]) })
        .collect()
}

/// The vector or its negative: its first entry of the largest amount is positive.
fn with_sign(mut vector: Vec<f64>) -> Vec<f64> {
    let largest = vector.iter().fold(0.0_f64, |largest, x| if x.abs() > largest.abs() { *x } else { largest });
    if largest < 0.0 {
        for x in &mut vector {
            *x = -*x;
        }
    }
    vector
}

/// Combinations of vectors: the columns of `turn` say which.
fn turned(vectors: &[Vec<f64>], turn: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let size = vectors.first().map_or(0, Vec::len);
    let combine = |column: usize| {
        let mut sum = vec![0.0; size];
        for (vector, row) in vectors.iter().zip(turn) {
            sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += row[column] * x);
        }
        sum
    };
    (0..vectors.len()).map(combine).collect()
}

/// Makes vectors of length 1 at right angles, each out of itself and those before it; 0 where nothing is left.
fn orthogonalise(vectors: &mut [Vec<f64>]) {
    let longest = vectors.iter().map(|vector| dot(vector, vector)).fold(0.0, f64::max).sqrt();
    for place in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(place);
        let vector = &mut rest[0];
        // Twice: rounding of the first time is taken out by the second.
        for _ in 0..2 {
            for other in before.iter() {
                let share = dot(vector, other);
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
            }
        }
        let left = dot(vector, vector).sqrt();
        let factor = if left > NOTHING * longest { 1.0 / left } else { 0.0 };
        for x in vector {
            *x *= factor;
        }
    }
}

/// Eigenvalues of a small symmetric matrix, descending, and their vectors as columns, by Jacobi's rotations (section 8.5 there).
fn jacobi(mut matrix: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let size = matrix.len();
    let mut turn: Vec<Vec<f64>> = (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..30 {
        for p in 0..size {
            for q in p + 1..size {
                let beside = matrix[p][q];
                if beside == 0.0 {
                    continue;
                }
                let ratio = (matrix[q][q] - matrix[p][p]) / (2.0 * beside);
                let tangent = ratio.signum() / (ratio.abs() + (1.0 + ratio * ratio).sqrt());
                let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
                let sine = tangent * cosine;
                for row in matrix.iter_mut().chain(turn.iter_mut()) {
                    (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
                }
                let (above, below) = matrix.split_at_mut(q);
                for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
                    (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|a, b| matrix[*b][*b].total_cmp(&matrix[*a][*a]));
    let columns = |row: &Vec<f64>| order.iter().map(|place| row[*place]).collect();
    (order.iter().map(|place| matrix[*place][*place]).collect(), turn.iter().map(columns).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} against {expected:?}");
    }

    /// The matrix that is the sum of `value * vector vector^T`.
    fn made_of(parts: &[(f64, &[f32])]) -> Symmetric {
        let size = parts[0].1.len();
        let rows: Vec<Vec<f32>> =
            parts.iter().map(|(value, vector)| vector.iter().map(|x| value.sqrt() as f32 * x).collect()).collect();
        Symmetric::gram(rows.iter().map(Vec::as_slice), &vec![0.0; size])
    }

    #[test]
    fn directions_come_out_by_size_with_the_larger_entry_positive() {
        let pairs =
            leading(&made_of(&[(4.0, &[0.6, 0.0, -0.8]), (25.0, &[0.0, -1.0, 0.0]), (1.0, &[0.8, 0.0, 0.6])]), 3);
        let values: Vec<f64> = pairs.iter().map(|(value, _)| *value).collect();
        assert!(values.iter().zip([25.0, 4.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-5), "{values:?}");
        let expected: [[f64; 3]; 3] = [[0.0, 1.0, 0.0], [-0.6, 0.0, 0.8], [0.8, 0.0, 0.6]];
        for ((_, vector), expected) in pairs.iter().zip(expected) {
            assert!(vector.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{vector:?}");
        }
    }

    #[test]
    fn a_matrix_of_fewer_directions_has_vectors_of_nothing() {
        let pairs = leading(&made_of(&[(9.0, &[0.0, 1.0, 0.0, 0.0])]), 3);
        near(&pairs[0].1, &[0.0, 1.0, 0.0, 0.0]);
        near(&[pairs[0].0, pairs[1].0, pairs[2].0], &[9.0, 0.0, 0.0]);
        near(&leading(&made_of(&[(0.0, &[1.0, 0.0])]), 2)[1].1, &[0.0, 0.0]);
    }

    #[test]
    fn vectors_of_a_larger_matrix_are_turned_onto_themselves() {
        let rows: Vec<Vec<f32>> = (0..60).map(|i| (0..40).map(|j| ((i * 7 + j * 13) % 11) as f32).collect()).collect();
        let matrix = Symmetric::gram(rows.iter().map(Vec::as_slice), &[5.0; 40]);
        let all = matrix.clone().eigenvalues();
        for (place, (value, vector)) in leading(&matrix, 3).into_iter().enumerate() {
            assert!((value / all[39 - place] - 1.0).abs() < 1e-9, "{value} against {}", all[39 - place]);
            let image = matrix.times(&vector);
            assert!(image.iter().zip(&vector).all(|(a, b)| (a - value * b).abs() < 1e-6 * value));
            assert!((dot(&vector, &vector) - 1.0).abs() < 1e-12);
        }
    }
}
