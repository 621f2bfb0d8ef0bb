//! Nearest places, exactly.
//!
//! One product of all queries with all places, which is what the kernels are best at. Unlike an approximate index it gives the same answer
//! in whatever order places were added.

use burn::prelude::*;
use prevision_kernels::{Activation, linear};

/// Places, ready to be compared with latents.
pub(super) struct Places<'a> {
    values: &'a [f32],
    /// The squared length of each.
    squares: &'a [f32],
    width: usize,
    /// `[width, places]`
    matrix: Tensor<2>,
}

impl<'a> Places<'a> {
    /// `values` is `[places * width]`, `squares` has their squared lengths.
    ///
    /// # Panics
    /// If there is no place.
    pub(super) fn new(values: &'a [f32], squares: &'a [f32], width: usize) -> Self {
        assert!(!squares.is_empty(), "the nearest of no places");
        Self { values, squares, width, matrix: matrix(values, squares.len(), width) }
    }

    /// As [`new`](Self::new), with the matrix that [`matrix`] has made of the same values before.
    pub(super) fn with_matrix(values: &'a [f32], squares: &'a [f32], width: usize, matrix: Tensor<2>) -> Self {
        Self { values, squares, width, matrix }
    }

    /// Place and squared distance of the nearest to each query.
    ///
    /// # Shapes
    /// - queries: `[queries * width]`
    /// - output: `[queries]`
    pub(super) fn nearest(&self, queries: &[f32]) -> Vec<(usize, f32)> {
        let row = |(query, scores): (&[f32], Vec<f32>)| {
            let best = (1..scores.len()).fold(0, |best, place| if scores[place] < scores[best] { place } else { best });
            (best, self.square(query, best))
        };
        queries.chunks_exact(self.width).zip(self.scores(queries)).map(row).collect()
    }

    /// The places whose squared distance to each query is at most `most`, with it, the nearest first.
    ///
    /// # Shapes
    /// - queries: `[queries * width]`
    /// - output: `[queries]`
    pub(super) fn within(&self, queries: &[f32], most: f32) -> Vec<Vec<(usize, f32)>> {
        let row = |(query, scores): (&[f32], Vec<f32>)| {
            let length: f32 = query.iter().map(|value| value * value).sum();
            // What rounding of large products may hide is measured, too.
            let margin = 1e-4 * (length + most);
            let near = (0..scores.len()).filter(|place| scores[*place] + length <= most + margin);
            let mut near: Vec<(usize, f32)> = near.map(|place| (place, self.square(query, place))).collect();
            near.retain(|(_, square)| *square <= most);
            near.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            near
        };
        queries.chunks_exact(self.width).zip(self.scores(queries)).map(row).collect()
    }

    /// |q - p|² less |q|², which is the same for all places, of each query and place.
    fn scores(&self, queries: &[f32]) -> impl Iterator<Item = Vec<f32>> {
        let rows = queries.len() / self.width.max(1);
        let queries = TensorData::new(queries.to_vec(), [rows, self.width]);
        let queries = Tensor::<2>::from_data(queries, &Device::flex());
        let products = linear(queries, self.matrix.clone(), None, Activation::Identity);
        let products = products.into_data().try_into_vec_as::<f32>().expect("products are floats");
        let count = self.squares.len();
        (0..rows).map(move |row| {
            let products = &products[row * count..][..count];
            self.squares.iter().zip(products).map(|(square, product)| square - 2.0 * product).collect()
        })
    }

    /// The squared distance, measured anew: products round.
    fn square(&self, query: &[f32], place: usize) -> f32 {
        let place = &self.values[place * self.width..][..self.width];
        query.iter().zip(place).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

/// Places `[places * width]` as what latents are multiplied with, `[width, places]`.
pub(super) fn matrix(places: &[f32], count: usize, width: usize) -> Tensor<2> {
    Tensor::<2>::from_data(TensorData::new(places.to_vec(), [count, width]), &Device::flex()).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_three_places() {
        let places = [0.0, 0.0, 3.0, 4.0, -1.0, 0.0];
        let squares = [0.0, 25.0, 1.0];
        let queries = [2.0, 3.0, -0.6, 0.0, 0.1, 0.0];
        let found = Places::new(&places, &squares, 2).nearest(&queries);
        assert_eq!(found.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 2, 0]);
        assert!((found[0].1 - 2.0).abs() < 1e-6 && (found[1].1 - 0.16).abs() < 1e-6);
    }
    #[test]
    fn the_places_within_a_distance_come_nearest_first() {
        let places = [0.0, 0.0, 3.0, 4.0, -1.0, 0.0];
        let found = Places::new(&places, &[0.0, 25.0, 1.0], 2).within(&[-0.6, 0.0, 9.0, 9.0], 1.0);
        assert_eq!(
            found.iter().map(|near| near.iter().map(|(place, _)| *place).collect()).collect::<Vec<Vec<_>>>(),
            [vec![2, 0], vec![]]
        );
        assert!((found[0][1].1 - 0.36).abs() < 1e-6);
    }
}
