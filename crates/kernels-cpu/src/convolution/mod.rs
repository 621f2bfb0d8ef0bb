//! Two-dimensional convolutions with bias and activation that follow each other, and their gradients. Each thread takes a few images from
//! the first layer to the last, so that what is between layers stays in its cache. A layer is done by transformed tiles where they save
//! multiplications, otherwise directly, or as products of patches where the rows of an image do not fill the processor's vectors.

mod backward;
mod correlation;
mod direct;
mod forward;
mod padded;
mod patches;
#[cfg(target_arch = "x86_64")]
mod tiles;
mod weight_sums;
mod winograd;

pub use backward::{Gradients, Known, backward};
pub use forward::{Results, forward};

use super::level::Instructions;
use super::parallel::threads;
use super::vectors::Vectors;
use super::{Activation, Level, Precision};
use direct::{DirectBackward, DirectForward};
use patches::Patches;
use winograd::{WinogradBackward, WinogradForward};

/// Images whose weight gradients are added up before those of others are.
const IMAGES_PER_PART: usize = 16;

/// Sizes of a convolution of square images or not, kernels not dilated, one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Channels of an image.
    pub inputs: usize,
    /// Channels of the result.
    pub outputs: usize,
    /// Height and width of an image.
    pub size: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Distance between neighbouring patches.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub padding: [usize; 2],
    /// After the bias.
    pub activation: Activation,
}

impl Convolution {
    /// Height and width of the result.
    pub fn output_size(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let length = self.size[axis] + 2 * self.padding[axis];
            if length < self.kernel[axis] { 0 } else { (length - self.kernel[axis]) / self.stride[axis] + 1 }
        })
    }

    /// Numbers in a patch.
    fn depth(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }

    fn pixels(&self) -> usize {
        self.output_size().iter().product()
    }

    /// Numbers of an image.
    fn image(&self) -> usize {
        self.inputs * self.size[0] * self.size[1]
    }

    /// Numbers of a result.
    fn result(&self) -> usize {
        self.outputs * self.pixels()
    }
}

/// A convolution with its parameters.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Its sizes.
    pub sizes: Convolution,
    /// `[outputs, inputs, kernel height, kernel width]`
    pub weight: &'a [f32],
    /// `[outputs]`
    pub bias: Option<&'a [f32]>,
}

impl Layer<'_> {
    /// # Panics
    /// If the parameters do not have the sizes, or an image has no pixels.
    fn check(&self) {
        let Self { sizes, weight, bias } = self;
        assert!(sizes.image() > 0, "images without pixels");
        assert_eq!(weight.len(), sizes.outputs * sizes.depth(), "weights");
        assert!(bias.is_none_or(|bias| bias.len() == sizes.outputs), "a bias of {} numbers", sizes.outputs);
    }

    /// How the layer is done, of at most so many of all images together.
    fn forward<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize>(
        &'a self,
        level: Level,
        precision: Precision,
        [together, batch]: [usize; 2],
    ) -> Box<dyn Forward + 'a> {
        let Self { sizes, weight, .. } = self;
        #[cfg(target_arch = "x86_64")]
        if tiles::suits(sizes, level, precision, batch) {
            return Box::new(tiles::TilesForward::new(sizes, weight));
        }
        let _ = batch;
        match Method::of::<V>(sizes, precision) {
            Method::Winograd => Box::new(WinogradForward::<V, ROWS, COLUMNS>::new(sizes, together, weight)),
            Method::Direct => Box::new(DirectForward::<V, ROWS, COLUMNS>::new(sizes, precision, weight)),
            Method::Patches => Box::new(Patches { convolution: sizes, level, precision, weight }),
        }
    }

    /// How its gradients are computed, of at most so many of all images together.
    fn backward<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize>(
        &'a self,
        level: Level,
        precision: Precision,
        [together, batch]: [usize; 2],
    ) -> Box<dyn Backward + 'a> {
        let Self { sizes, weight, .. } = self;
        #[cfg(target_arch = "x86_64")]
        if tiles::suits_gradients(sizes, level, precision, batch) {
            return Box::new(tiles::TilesBackward::new(sizes, weight));
        }
        let _ = batch;
        match Method::of::<V>(sizes, precision) {
            Method::Winograd => Box::new(WinogradBackward::<V, ROWS, COLUMNS>::new(sizes, together, weight)),
            Method::Direct => Box::new(DirectBackward::<V, ROWS, COLUMNS>::new(sizes, precision, weight)),
            Method::Patches => Box::new(Patches { convolution: sizes, level, precision, weight }),
        }
    }
}

/// How a convolution is done on vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Winograd,
    Direct,
    Patches,
}

impl Method {
    fn of<V: Vectors>(convolution: &Convolution, precision: Precision) -> Self {
        if winograd::suits::<V>(convolution, precision) {
            Self::Winograd
        } else if direct::suits::<V>(convolution) {
            Self::Direct
        } else {
            Self::Patches
        }
    }
}

/// The level whose vectors convolutions run on where there are no tiles for them: with AMX pairs of bfloat16 are slower than float32.
fn vectors_of(level: Level) -> Level {
    if level.has_tiles() { level.at_most(Instructions::Avx512) } else { level }
}

/// Images of so many that one task may take at a time: each core gets some. No result depends on it.
fn together(batch: usize) -> usize {
    (batch / (2 * threads())).clamp(1, IMAGES_PER_PART)
}

/// A convolution of a few images.
trait Forward: Send + Sync {
    /// Images that it takes at a time, at most.
    fn together(&self) -> usize {
        1
    }

    /// Writes the result, and the values before the activation. `ahead` is the images that are needed next.
    fn forward(&self, images: &[f32], ahead: &[f32], finish: Finish<'_>);
}

/// The gradients of a convolution of a few images.
trait Backward: Send + Sync {
    /// Images that it takes at a time, at most.
    fn together(&self) -> usize {
        1
    }

    /// Numbers of the sums of [`Self::add_weight_gradient`].
    fn sums(&self) -> usize;

    /// Adds the gradient of the weight to `sums`. Gradients are `[images, outputs, height, width]`; `ahead` is needed next.
    fn add_weight_gradient(&self, images: &[f32], gradients: &[f32], ahead: [&[f32]; 2], sums: &mut [f32]);

    /// The sums of [`Self::add_weight_gradient`] as `[outputs, depth]`.
    fn write_weight_gradient(&self, sums: &[f32], out: &mut [f32]);

    /// The gradients of the images from those of the result.
    fn x_gradient(&self, gradients: &[f32], out: &mut [f32]);
}

/// What follows the sums of one image, and where it goes.
struct Finish<'a> {
    bias: Option<&'a [f32]>,
    activation: Activation,
    pixels: usize,
    inner: Option<&'a mut [f32]>,
    out: &'a mut [f32],
}

/// Turns sums of a channel of the result into what follows.
#[inline(always)]
fn finish_channel<const FUSED: bool>(
    bias: Option<f32>,
    activation: Activation,
    inner: Option<&mut [f32]>,
    sums: &mut [f32],
) {
    if let Some(bias) = bias {
        for sum in sums.iter_mut() {
            *sum += bias;
        }
    }
    if let Some(inner) = inner {
        inner.copy_from_slice(sums);
    }
    activation.apply::<FUSED>(sums);
}

#[cfg(test)]
mod tests;
