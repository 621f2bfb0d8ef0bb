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
    /// Moments that tokens are of, as many of each.
    moments: usize,
    /// `[rows, vector_width]`
    vectors: Vec<f32>,
    vector_width: usize,
}

impl Features {
    /// No rows yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, tokens: Vec::new(), count: 0, width: 0, moments: 1, vectors: Vec::new(), vector_width: 0 }
    }

    /// Appends a row of tokens of so many moments, in their order: heads of vectors see the mean token of each moment, heads of tokens are told
    /// their time.
    ///
    /// # Shapes
    /// - tokens: `[moments * places, width]`
    ///
    /// # Panics
    /// If rows differ in their sizes.
    pub fn push(&mut self, tokens: &[f32], width: usize, moments: usize) {
        let vector: Vec<f32> =
            tokens.chunks_exact(tokens.len() / moments).flat_map(|moment| mean_token(moment, width)).collect();
        self.push_with(tokens, width, &vector);
        self.moments = moments;
    }

    /// Appends a row of tokens that say themselves when they are, and of a vector.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub(super) fn push_with(&mut self, tokens: &[f32], width: usize, vector: &[f32]) {
        let count = tokens.len() / width;
        if self.tokens.is_empty() {
            (self.count, self.width, self.vector_width) = (count, width, vector.len());
        }
        let sizes = (self.count, self.width, self.vector_width);
        assert!((count, width, vector.len()) == sizes, "tokens [{count}, {width}] of features with others");
        self.tokens.extend_from_slice(tokens);
        self.vectors.extend_from_slice(vector);
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

    /// Tokens standardised by these rows, with the sines and cosines of their time added where there are several moments.
    pub fn tokens(&self, training: &[usize]) -> Standardised<'_> {
        let shape = [self.count, self.width];
        let mut tokens = Standardised::new(&self.tokens, shape, training);
        if self.moments > 1 {
            let places = self.count / self.moments;
            let of_moment = |moment| (0..places).flat_map(move |_| time_code(moment, self.width));
            tokens.added = (0..self.moments).flat_map(of_moment).collect();
        }
        tokens
    }

    /// Vectors standardised by these rows.
    pub fn vectors(&self, training: &[usize]) -> Standardised<'_> {
        Standardised::new(&self.vectors, [1, self.vector_width], training)
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

/// Sines of `moment * 10000^(-2i/width)`, then the cosines; an odd last place is 0. V-JEPA 2 adds them to the tokens of segments that were
/// encoded one by one (`evals/video_classification_frozen/modelcustom/vit_encoder_multiclip.py`).
fn time_code(moment: usize, width: usize) -> Vec<f32> {
    let half = width / 2;
    let angle = |i: usize| moment as f64 * 10_000_f64.powf(-(i as f64) / half as f64);
    let sines = (0..half).map(|i| angle(i).sin() as f32);
    let cosines = (0..half).map(|i| angle(i).cos() as f32);
    sines.chain(cosines).chain(std::iter::repeat_n(0.0, width % 2)).collect()
}

/// Rows whose columns have mean 0 and deviation 1 over the training rows; a column that is constant there is 0.
#[derive(Debug)]
pub struct Standardised<'a> {
    values: &'a [f32],
    /// Tokens of a row, and their width.
    shape: [usize; 2],
    mean: Vec<f32>,
    scale: Vec<f32>,
    /// Added to every row afterwards; may be empty.
    added: Vec<f32>,
}

impl<'a> Standardised<'a> {
    fn new(values: &'a [f32], shape: [usize; 2], training: &[usize]) -> Self {
        let (width, size) = (shape[1], shape[0] * shape[1]);
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
        let [mean, scale] = [mean, scale.collect()].map(|list| list.into_iter().map(|it| it as f32).collect());
        Self { values, shape, mean, scale, added: Vec::new() }
    }

    /// Numbers of a token or vector.
    pub fn width(&self) -> usize {
        self.shape[1]
    }

    /// One row.
    pub fn row(&self, row: usize) -> Vec<f32> {
        let [count, width] = self.shape;
        let values = &self.values[row * count * width..][..count * width];
        let of_token = |token: &[f32]| -> Vec<f32> {
            let columns = token.iter().zip(&self.mean).zip(&self.scale);
            columns.map(|((value, mean), scale)| (value - mean) * scale).collect()
        };
        let mut standard: Vec<f32> = values.chunks_exact(width).flat_map(of_token).collect();
        standard.iter_mut().zip(&self.added).for_each(|(value, added)| *value += added);
        standard
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

    fn features(moments: usize) -> Features {
        let mut features = Features::new("model");
        features.push(&[1.0, 5.0, 3.0, 5.0], 2, moments);
        features.push(&[5.0, 5.0, 7.0, 5.0], 2, moments);
        features.push(&[9.0, 6.0, 9.0, 6.0], 2, moments);
        features
    }

    #[test]
    fn columns_are_standardised_by_the_training_rows() {
        let features = features(1);
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
    fn moments_stay_apart() {
        let features = features(2);
        // A vector has each moment's mean token; a token has the sine and the cosine of its time added.
        assert_eq!((features.numbers(), features.vectors(&[0, 1]).row(0).len()), (8, 4));
        let row = features.tokens(&[0]).row(0);
        assert_eq!(row[..2], [-1.0, 1.0]);
        assert!((row[2] - 1.841_471).abs() < 1e-6 && (row[3] - 0.540_302_3).abs() < 1e-6, "{row:?}");
        assert_eq!(time_code(1, 3)[2], 0.0);
    }

    #[test]
    #[should_panic(expected = "of features with others")]
    fn rows_of_another_size_panic() {
        features(1).push(&[1.0, 2.0], 2, 1);
    }
}
