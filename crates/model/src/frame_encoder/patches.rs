//! An encoder that keeps where things are: every patch of a frame becomes a token of its own, which sees nothing but its patch.

use crate::Pixels;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use prevision_kernels::{Tubelets, patch_embedding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrameShape;
use crate::Activation;
use crate::layers::{Activation as Kernel, bias, linear};
use prevision_core::config::check::positive;

/// Configuration of a [`Patches`] encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PatchesConfig {
    /// Side of a patch in pixels. Frames are zero-padded at the right and bottom until it divides them. Default 5.
    pub patch: usize,
    /// Units of the hidden layer. Default 32.
    pub hidden: usize,
    /// Numbers in a token. Default 8.
    pub channels: usize,
    /// Non-linearity of the hidden layer. Default `relu`.
    pub activation: Activation,
}

impl Default for PatchesConfig {
    fn default() -> Self {
        Self { patch: 5, hidden: 32, channels: 8, activation: Activation::Relu }
    }
}

impl PatchesConfig {
    /// Builds the encoder for frames of this shape.
    pub fn init(&self, input: FrameShape, device: &Device) -> Patches {
        Patches {
            hidden: LinearConfig::new(input.channels * self.patch * self.patch, self.hidden).init(device),
            output: LinearConfig::new(self.hidden, self.channels).init(device),
            activation: self.activation,
            patch: self.patch,
            rows: input.height.div_ceil(self.patch),
            columns: input.width.div_ceil(self.patch),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("patch", self.patch)?;
        positive("hidden", self.hidden)?;
        positive("channels", self.channels)
    }
}

/// One hidden layer on every patch. Both layers are the same for all patches, so what is learned of a thing in one place holds in
/// every other.
#[derive(Module, Debug)]
pub struct Patches {
    hidden: Linear,
    output: Linear,
    #[module(skip)]
    activation: Activation,
    patch: usize,
    rows: usize,
    columns: usize,
}

impl Patches {
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch * time, rows * columns * channels]`, tokens row by row
    ///
    /// # Panics
    /// If the video does not have the channels and the size that the encoder was built for.
    pub fn forward(&self, video: Pixels) -> Tensor<2> {
        let [batch, _, time, _, _] = video.dims();
        let cut = Tubelets { frames: 1, side: self.patch, grid: self.grid(), keep: None };
        let (weight, bias) = (self.hidden.weight.val(), bias(&self.hidden));
        let hidden = patch_embedding(video, cut, weight, bias, self.activation.kernel());
        let tokens = linear(&self.output, hidden, Kernel::Identity);
        tokens.reshape([(batch * time) as i32, -1])
    }

    /// Rows and columns of tokens.
    pub fn grid(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    /// Length of the latent: of all tokens.
    pub fn dim(&self) -> usize {
        let [_, channels] = self.output.weight.lazy_shape().dims();
        self.rows * self.columns * channels
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    const INPUT: FrameShape = FrameShape { channels: 3, height: 7, width: 10 };

    fn encoder() -> Patches {
        PatchesConfig { patch: 4, hidden: 6, channels: 2, ..Default::default() }.init(INPUT, &Device::flex())
    }

    #[test]
    fn sizes_are_those_of_the_padded_frame() {
        let encoder = encoder();
        assert_eq!((encoder.grid(), encoder.dim()), ([2, 3], 12));
        assert_eq!(encoder.num_params(), (48 + 1) * 6 + (6 + 1) * 2);
    }

    /// A change in one patch of one frame changes that token of that frame alone.
    #[test]
    fn a_token_sees_its_patch() {
        let encoder = encoder();
        let video = Tensor::<5>::random([2, 3, 2, 7, 10], Distribution::Default, &Device::flex());
        let changed =
            video.clone().slice_assign([1..2, 0..3, 1..2, 4..7, 4..8], Tensor::ones([1, 3, 1, 3, 4], &Device::flex()));
        let difference =
            (encoder.forward(video.into()) - encoder.forward(changed.into())).abs().reshape([4, 6, 2]).sum_dim(2);
        let values = difference.into_data().try_into_vec_as::<f32>().unwrap();
        for (index, value) in values.iter().enumerate() {
            assert_eq!(*value > 0.0, index == 3 * 6 + 4, "{index}: {value}");
        }
    }

    #[test]
    fn bad_values_are_named() {
        assert!(PatchesConfig { channels: 0, ..Default::default() }.validate().unwrap_err().contains("channels"));
    }
}
