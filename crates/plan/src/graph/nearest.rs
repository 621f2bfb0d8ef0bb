//! Nearest places, exactly.
//!
//! One product of all queries with all places, which is what the kernels are best at. Unlike an approximate index it gives the same answer
//! in whatever order places were added.

use burn::prelude::*;
use prevision_kernels::{Activation, linear};

/// Place and squared distance of the nearest of some places to each query.
///
/// # Shapes
/// - queries: `[queries * width]`, places: `[places * width]`, squares: `[places]`, the squared lengths of the places
/// - output: `[queries]`
///
/// # Panics
/// If there is no place.
pub(super) fn nearest(queries: &[f32], places: &[f32], squares: &[f32], width: usize) -> Vec<(usize, f32)> {
    let (count, rows) = (squares.len(), queries.len() / width.max(1));
    assert!(count > 0, "the nearest of no places");
    let device = Device::flex();
    let tensor =
        |values: &[f32], shape: [usize; 2]| Tensor::<2>::from_data(TensorData::new(values.to_vec(), shape), &device);
    let weight = tensor(places, [count, width]).transpose();
    let products = linear(tensor(queries, [rows, width]), weight, None, Activation::Identity);
    let products = products.into_data().try_into_vec_as::<f32>().expect("products are floats");
    let row = |(query, products): (&[f32], &[f32])| {
        // |q - p|² less |q|², which is the same for all.
        let distance = |place: usize| squares[place] - 2.0 * products[place];
        let best = (1..count).fold(0, |best, place| if distance(place) < distance(best) { place } else { best });
        // Rounding of large products: what is found is measured again.
        let found = &places[best * width..][..width];
        (best, query.iter().zip(found).map(|(a, b)| (a - b) * (a - b)).sum())
    };
    queries.chunks_exact(width).zip(products.chunks_exact(count)).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_three_places() {
        let places = [0.0, 0.0, 3.0, 4.0, -1.0, 0.0];
        let squares = [0.0, 25.0, 1.0];
        let found = nearest(&[2.0, 3.0, -0.6, 0.0, 0.1, 0.0], &places, &squares, 2);
        assert_eq!(found.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 2, 0]);
        assert!((found[0].1 - 2.0).abs() < 1e-6 && (found[1].1 - 0.16).abs() < 1e-6);
    }
}
