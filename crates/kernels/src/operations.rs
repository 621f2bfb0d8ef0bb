//! How many floating-point operations were made.

use std::sync::atomic::{AtomicU64, Ordering};

static SO_FAR: AtomicU64 = AtomicU64::new(0);

/// Floating-point operations of the products (linear layers, convolutions, attention, recurrent cells) that this crate's operations were
/// asked for since the process started, two for each multiplication with its addition, on whatever device. Backward passes, and layers
/// that are not made of this crate's operations, are not counted.
///
/// The difference of two calls is what lies between them, if nothing else runs in the process meanwhile.
pub fn operations_so_far() -> u64 {
    SO_FAR.load(Ordering::Relaxed)
}

/// Counts products of `[m, k]` and `[k, n]`, so many of them.
pub(crate) fn count_products(count: usize, [m, k, n]: [usize; 3]) {
    SO_FAR.fetch_add(2 * (count * m * k * n) as u64, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::{Activation, ConvolutionLayer, GruCell, Mask, attention, convolutions, gru_rollout, linear};

    /// Tests of one process may run side by side: others only add.
    fn counted(work: impl FnOnce()) -> u64 {
        let before = operations_so_far();
        work();
        operations_so_far() - before
    }

    #[test]
    fn products_are_counted_by_their_shapes() {
        let device = Device::flex();
        let ones = |shape: [usize; 2]| Tensor::<2>::ones(shape, &device);
        let layer = counted(|| drop(linear(ones([7, 5]), ones([5, 3]), None, Activation::Relu)));
        assert!(layer >= 2 * 7 * 5 * 3, "{layer}");
        let mixed = counted(|| drop(attention(Tensor::ones([2, 6, 24], &device), 2, &Mask::Full, None)));
        // Scores and values: 2 images, 2 heads of 4 channels, 6 tokens.
        assert!(mixed >= 2 * 2 * 2 * (6 * 4 * 6) * 2, "{mixed}");
        let kernel = Tensor::<4>::ones([3, 2, 3, 3], &device);
        let layers = [ConvolutionLayer {
            weight: kernel,
            bias: None,
            stride: [2, 2],
            padding: [1, 1],
            activation: Activation::Relu,
        }];
        let images = counted(|| drop(convolutions(Tensor::ones([4, 2, 8, 8], &device), &layers)));
        assert!(images >= 2 * (4 * 4 * 4) * (2 * 9) * 3, "{images}");
        let vector = |width| Tensor::<1>::ones([width], &device);
        let cell =
            GruCell { weight: ones([4, 12]), bias: vector(12), scale: vector(4), shift: vector(4), epsilon: 1e-5 };
        let steps = counted(|| drop(gru_rollout(Tensor::ones([3, 5, 12], &device), ones([3, 4]), cell)));
        assert!(steps >= 2 * (3 * 5) * 4 * 12, "{steps}");
    }
}
