//! Tubelet embedding: a convolution from video to tokens whose kernel equals its stride, done as one matrix product.

use crate::Pixels;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use prevision_kernels::{Tubelets, patch_embedding};

use crate::initialisation::{TRANSFORMER_STD, normal_linear};
use crate::layers::{Activation, bias};
use crate::masks::TokenIds;

/// Splits a clip into tubelets and projects each to a token.
///
/// `projection.weight` is `[channels * tubelet * patch * patch, dim]` with rows in (channel, frame, row, column) order: the transpose of
/// upstream's convolution kernel `[dim, channels, tubelet, patch, patch]` flattened after the first axis.
#[derive(Module, Debug)]
pub struct TubeletEmbed {
    /// The projection of a flattened tubelet.
    pub projection: Linear,
    channels: usize,
    tubelet: usize,
    patch: usize,
}

impl TubeletEmbed {
    /// An embedding of tubelets of `tubelet` frames and `patch` x `patch` pixels.
    pub fn new(channels: usize, dim: usize, tubelet: usize, patch: usize, device: &Device) -> Self {
        let inputs = channels * tubelet * patch * patch;
        Self { projection: normal_linear(inputs, dim, TRANSFORMER_STD, device), channels, tubelet, patch }
    }

    /// The token grid `[time, height, width]` of a video of shape `[batch, channels, time, height, width]`.
    ///
    /// # Panics
    /// If an axis is not a multiple of the tubelet.
    pub fn grid(&self, video: [usize; 5]) -> [usize; 3] {
        let [_, channels, time, height, width] = video;
        let fits = channels == self.channels
            && time.is_multiple_of(self.tubelet)
            && height.is_multiple_of(self.patch)
            && width.is_multiple_of(self.patch);
        assert!(
            fits,
            "video {video:?} does not split into tubelets of [channels {}, frames {}, {} x {} pixels]",
            self.channels, self.tubelet, self.patch, self.patch
        );
        [time / self.tubelet, height / self.patch, width / self.patch]
    }

    /// Projects the tubelets listed in `keep`, or all.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - keep: `[batch, n]` or `[1, n]` token ids
    /// - output: `[batch, n, dim]`, in the order of `keep`; without it all tokens in (time, height, width) order
    ///
    /// # Panics
    /// If an axis is not a multiple of the tubelet, or an id is outside the grid.
    pub fn forward(&self, video: impl Into<Pixels>, keep: Option<&TokenIds>) -> Tensor<3> {
        let video = video.into();
        let [_, rows, columns] = self.grid(video.dims());
        let patches = Tubelets { frames: self.tubelet, side: self.patch, grid: [rows, columns], keep };
        patch_embedding(video, patches, self.projection.weight.val(), bias(&self.projection), Activation::Identity)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::Distribution;
    use burn::tensor::module::conv3d;
    use burn::tensor::ops::ConvOptions;

    use super::*;

    #[test]
    fn equals_a_convolution_with_the_transposed_kernel() {
        let device = Device::flex();
        let kernel = Tensor::<5>::random([5, 3, 2, 4, 4], Distribution::Default, &device);
        let bias = Tensor::<1>::random([5], Distribution::Default, &device);
        let mut embed = TubeletEmbed::new(3, 5, 2, 4, &device);
        embed.projection.weight = Param::from_tensor(kernel.clone().reshape([5, 96]).transpose());
        embed.projection.bias = Some(Param::from_tensor(bias.clone()));
        let video = Tensor::<5>::random([2, 3, 4, 8, 12], Distribution::Default, &device);
        let convolved = conv3d(video.clone(), kernel, Some(bias), ConvOptions::new([2, 4, 4], [0, 0, 0], [1, 1, 1], 1));
        let expected: Tensor<3> = convolved.flatten::<3>(2, 4).swap_dims(1, 2);
        let error: f32 = (embed.forward(video, None) - expected).abs().max().into_scalar();
        assert!(error < 1e-4, "largest error {error}");
    }
}
