//! Features of views, computed once and kept.

use burn::tensor::{Device, Tensor, TensorData};

/// Rows of one sort of features: tokens for heads that look at all of them, a vector for the others.
#[derive(Clone, Debug)]
pub struct Features {
    /// Where they come from: `model`, `random`, `pixels`.
    pub(super) name: &'static str,
    /// `[rows, count, width]`
    tokens: Vec<f32>,
    count: usize,
    width: usize,
    /// `[rows, vector_width]`
    vectors: Vec<f32>,
    vector_width: usize,
}

impl Features {
    /// No rows yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, tokens: Vec::new(), count: 0, width: 0, vectors: Vec::new(), vector_width: 0 }
    }

    /// Appends a row. `vector` is what heads of vectors see; the mean token, if `None`.
    ///
    /// # Shapes
    /// - tokens: `[count, width]`
    ///
    /// # Panics
    /// If rows differ in their sizes.
    pub fn push(&mut self, tokens: &[f32], width: usize, vector: Option<&[f32]>) {
        let count = tokens.len() / width;
        if self.tokens.is_empty() {
            (self.count, self.width) = (count, width);
            self.vector_width = vector.map_or(width, <[f32]>::len);
        }
        assert!((count, width) == (self.count, self.width), "tokens [{count}, {width}] of features with others");
        self.tokens.extend_from_slice(tokens);
        match vector {
            Some(vector) => {
                assert_eq!(vector.len(), self.vector_width, "a vector of features with others");
                self.vectors.extend_from_slice(vector);
            }
            None => self.vectors.extend(mean_token(tokens, width)),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.tokens.len() / (self.count * self.width).max(1)
    }

    /// Numbers of a token.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Numbers of a row, tokens and vector.
    pub(super) fn numbers(&self) -> usize {
        self.count * self.width + self.vector_width
    }

    /// Standardises tokens by these rows.
    pub fn tokens(&self, training: &[usize]) -> Standardised<'_> {
        let size = self.count * self.width;
        Standardised::new(&self.tokens, [self.count, self.width], training, size)
    }

    /// Standardises vectors by these rows.
    pub fn vectors(&self, training: &[usize]) -> Standardised<'_> {
        Standardised::new(&self.vectors, [1, self.vector_width], training, self.vector_width)
    }
}

fn mean_token(tokens: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0_f64; width];
    for token in tokens.chunks_exact(width) {
        mean.iter_mut().zip(token).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let count = (tokens.len() / width) as f64;
    mean.into_iter().map(|sum| (sum / count) as f32).collect()
}

/// Rows whose columns have mean 0 and deviation 1 over the training rows; a column that is constant there is 0.
#[derive(Debug)]
pub struct Standardised<'a> {
    values: &'a [f32],
    /// Tokens of a row, and their width.
    shape: [usize; 2],
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl<'a> Standardised<'a> {
    fn new(values: &'a [f32], shape: [usize; 2], training: &[usize], size: usize) -> Self {
        let width = shape[1];
        let (mut sum, mut squares) = (vec![0.0_f64; width], vec![0.0_f64; width]);
        let rows = || training.iter().flat_map(|row| values[row * size..][..size].chunks_exact(width));
        let count = (training.len() * shape[0]).max(1) as f64;
        for token in rows() {
            sum.iter_mut().zip(token).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        let mean: Vec<f64> = sum.into_iter().map(|sum| sum / count).collect();
        for token in rows() {
            let centred = token.iter().zip(&mean).map(|(&value, mean)| f64::from(value) - mean);
            squares.iter_mut().zip(centred).for_each(|(sum, value)| *sum += value * value);
        }
        let scale = squares.into_iter().map(|sum| sum / count);
        let scale = scale.map(|variance| if variance > 1e-12 { 1.0 / variance.sqrt() } else { 0.0 });
        Self {
            values,
            shape,
            mean: mean.into_iter().map(|it| it as f32).collect(),
            scale: scale.map(|it| it as f32).collect(),
        }
    }

    /// Numbers of a token or vector.
    pub fn width(&self) -> usize {
        self.shape[1]
    }

    /// One row.
    pub fn row(&self, row: usize) -> Vec<f32> {
        let [count, width] = self.shape;
        let values = &self.values[row * count * width..][..count * width];
        values
            .chunks_exact(width)
            .flat_map(|token| {
                token.iter().zip(&self.mean).zip(&self.scale).map(|((value, mean), scale)| (value - mean) * scale)
            })
            .collect()
    }

    /// These rows on a device, `[rows, tokens, width]`.
    pub fn upload(&self, rows: &[usize], device: &Device) -> Tensor<3> {
        let values: Vec<f32> = rows.iter().flat_map(|&row| self.row(row)).collect();
        Tensor::from_data(TensorData::new(values, [rows.len(), self.shape[0], self.shape[1]]), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features() -> Features {
        let mut features = Features::new("model");
        features.push(&[1.0, 5.0, 3.0, 5.0], 2, None);
        features.push(&[5.0, 5.0, 7.0, 5.0], 2, None);
        features.push(&[9.0, 6.0, 9.0, 6.0], 2, None);
        features
    }

    #[test]
    fn columns_are_standardised_by_the_training_rows() {
        let features = features();
        assert_eq!((features.rows(), features.width(), features.numbers()), (3, 2, 6));
        // Mean 2 and deviation 1; the second column is constant in training.
        let tokens = features.tokens(&[0]);
        assert_eq!(tokens.row(0), [-1.0, 0.0, 1.0, 0.0]);
        assert_eq!(tokens.row(2), [7.0, 0.0, 7.0, 0.0]);
        // Mean tokens 2 and 6: mean 4, deviation 2.
        let vectors = features.vectors(&[0, 1]);
        assert_eq!([vectors.row(0), vectors.row(2)].concat(), [-1.0, 0.0, 2.5, 0.0]);
        assert_eq!(tokens.upload(&[1, 0], &Device::flex()).dims(), [2, 2, 2]);
    }

    #[test]
    #[should_panic(expected = "of features with others")]
    fn rows_of_another_size_panic() {
        features().push(&[1.0, 2.0], 2, None);
    }
}
