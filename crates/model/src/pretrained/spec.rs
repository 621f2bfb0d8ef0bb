//! What a pretrained model is, as its file says.

use std::path::Path;

use prevision_core::config::{Options, within};
use prevision_core::frames::resize::{Kernel, centre, resize, resize_exact};
use serde::{Deserialize, Serialize};

use super::{ImportError, WorldSpec};
use crate::heads::AttentiveProbeConfig;
use crate::{MaskedPredictorConfig, ModelError, VideoVitConfig, weights};

/// What a file of pretrained weights holds, kept in its metadata: the file describes itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedSpec {
    /// The [layout](super::layouts) that it came from.
    pub family: String,
    /// The encoder.
    pub encoder: VideoVitConfig,
    /// The predictor of hidden tokens, if there is one.
    pub predictor: Option<MaskedPredictorConfig>,
    /// The classifier of videos, if there is one.
    pub classifier: Option<AttentiveProbeConfig>,
    /// What is behind the encoder of a world model, if it is one.
    pub world: Option<WorldSpec>,
    /// Names of its classes, in their order; empty if they were not told.
    pub labels: Vec<String>,
    /// What it was trained on, and what is done to a picture before it is encoded.
    pub input: Input,
    /// What stands before the names of its tensors: which of several copies in one file it is, such as `target_encoder.module.backbone.`, or
    /// which part of a model with a classifier.
    pub part: Option<String>,
    /// The last part of the name of the file or folder that it came from.
    pub source: String,
    /// SHA-256 of the weights, in hexadecimal: the same for the same numbers.
    pub weights: String,
}

impl PretrainedSpec {
    /// Of a model whose weights are still to come.
    pub fn new(family: &str, encoder: VideoVitConfig, predictor: Option<MaskedPredictorConfig>, input: Input) -> Self {
        let (source, weights) = (String::new(), String::new());
        let (classifier, world, labels) = (None, None, Vec::new());
        let family = family.to_owned();
        Self { family, encoder, predictor, classifier, world, labels, input, part: None, source, weights }
    }

    /// Checks every size.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        within("encoder", self.encoder.validate())?;
        within("input", self.input.validate())?;
        if let Some(predictor) = &self.predictor {
            within("predictor", predictor.validate())?;
        }
        self.action_config().map_or(Ok(()), |config| Options::validate(&config))
    }

    /// What a file of `prevision import` says that it holds. The weights are not read.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn of_file(path: &Path) -> Result<Self, ImportError> {
        let broken = |message: String| ImportError::broken(path, message);
        let fail = |error: ModelError| match error {
            ModelError::Store { message, .. } => broken(message),
            error => ImportError::Weights(error),
        };
        if path.is_dir() {
            return Err(broken("a folder, expected a file of `prevision import`, which brings checkpoints in".into()));
        }
        let text = weights::description(path).map_err(fail)?;
        let text =
            text.ok_or_else(|| broken("does not say what it is: no pretrained model of `prevision import`".into()))?;
        let spec: Self = serde_json::from_str(&text)
            .map_err(|error| broken(format!("not a pretrained model of `prevision import`: {error}")))?;
        spec.validate().map_err(broken)?;
        Ok(spec)
    }

    /// The token grid `[time, height, width]` of what it was trained on.
    pub fn grid(&self) -> [usize; 3] {
        let Input { frames, crop, .. } = self.input;
        let VideoVitConfig { tubelet, patch, .. } = self.encoder;
        [(frames / tubelet).max(1), crop / patch, crop / patch]
    }
}

/// What an encoder expects to see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Frames in a clip; 1: single pictures.
    pub frames: usize,
    /// How pictures are brought to size.
    pub resize: Resize,
    /// Side of the square that is cut out of the middle, in pixels.
    pub crop: usize,
    /// Of red, green and blue, each from 0 to 1.
    pub mean: [f32; 3],
    /// Of red, green and blue.
    pub std: [f32; 3],
}

impl Input {
    /// What the encoder sees of a picture of `(columns, rows)`: brought to size, the middle cut out.
    ///
    /// # Shapes
    /// - rgb: `[rows, columns, 3]`
    /// - output: `[crop, crop, 3]`
    ///
    /// # Panics
    /// If there are not as many bytes.
    pub fn frame(&self, rgb: &[u8], (width, height): (usize, usize)) -> Vec<u8> {
        let size = self.resized((width, height));
        centre(&resize(rgb, (width, height), size, self.resize.kernel), size, self.crop)
    }

    /// What the encoder sees of a picture of `(columns, rows)` that is kept whole: brought to size in floating point (torchvision's `Resize`
    /// of normalised pictures), the rows and columns that fill patches, normalised. Also how many of them there are.
    ///
    /// # Shapes
    /// - rgb: `[rows, columns, 3]`
    /// - output: `[3, rows, columns]`
    ///
    /// # Panics
    /// If there are not as many bytes.
    pub fn whole(&self, rgb: &[u8], from: (usize, usize), patch: usize) -> (Vec<f32>, [usize; 2]) {
        let size = self.resized(from);
        let (columns, rows) = (size.0 / patch * patch, size.1 / patch * patch);
        let resized = resize_exact(rgb, from, size, self.resize.kernel);
        let mut planes = Vec::with_capacity(3 * rows * columns);
        for channel in 0..3 {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            for row in 0..rows {
                let pixels = &resized[row * size.0 * 3..][..columns * 3];
                planes.extend(pixels.iter().skip(channel).step_by(3).map(|value| (value / 255.0 - mean) / std));
            }
        }
        (planes, [rows, columns])
    }

    /// Where a pixel of a picture of `(columns, rows)` is in what the encoder sees of it ([`frame`](Self::frame)): row and column, `None` if it
    /// was cut off or is not in the picture.
    pub fn seen_at(&self, [row, column]: [usize; 2], (width, height): (usize, usize)) -> Option<[usize; 2]> {
        if row >= height || column >= width {
            return None;
        }
        let (columns, rows) = self.resized((width, height));
        // The middle of the pixel, of the picture that is larger or smaller.
        let at = |pixel: usize, from: usize, to: usize| {
            let place = (2 * pixel + 1) * to / (2 * from);
            place.checked_sub(to.saturating_sub(self.crop) / 2).filter(|place| *place < self.crop)
        };
        Some([at(row, height, rows)?, at(column, width, columns)?])
    }

    /// Columns and rows that a picture of this size is brought to.
    fn resized(&self, from: (usize, usize)) -> (usize, usize) {
        match self.resize.to {
            ResizeTo::Exactly([rows, columns]) => (columns, rows),
            ResizeTo::Shorter(side) | ResizeTo::Whole(side) => shorter(from, side),
        }
    }

    /// Checks that what is cut out is there.
    ///
    /// # Errors
    /// A message with the sizes.
    pub fn validate(&self) -> Result<(), String> {
        let shortest = match self.resize.to {
            ResizeTo::Shorter(side) | ResizeTo::Whole(side) => side,
            ResizeTo::Exactly([rows, columns]) => rows.min(columns),
        };
        if self.crop == 0 || self.crop > shortest {
            return Err(format!("a square of {} pixels out of pictures of {shortest}", self.crop));
        }
        Ok(())
    }
}

/// How a picture is brought to size before the middle of it is cut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Resize {
    /// To how many pixels.
    pub to: ResizeTo,
    /// With which kernel; both are widened where the picture shrinks, so that nothing aliases.
    pub kernel: Kernel,
}

/// To which size a picture is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeTo {
    /// The shorter side to so many pixels, the other in proportion.
    Shorter(usize),
    /// Rows and columns.
    Exactly([usize; 2]),
    /// The shorter side to so many pixels, the other in proportion, in floating point; nothing is cut out but what fills no patch, right
    /// and below.
    Whole(usize),
}

/// Columns and rows of a picture whose shorter side becomes this one; the longer one is rounded down, as upstream.
fn shorter((width, height): (usize, usize), side: usize) -> (usize, usize) {
    if width <= height { (side, side * height / width) } else { (side * width / height, side) }
}

/// Mean and standard deviation of `ImageNet`'s pictures.
pub(super) const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_found_in_what_is_cut_out() {
        let resize = Resize { to: ResizeTo::Shorter(64), kernel: Kernel::Bilinear };
        let input = Input { frames: 1, resize, crop: 48, mean: [0.0; 3], std: [1.0; 3] };
        // 640 x 320 becomes 128 x 64; cut out are columns 40 to 87 and rows 8 to 55.
        let at = |row, column| input.seen_at([row, column], (640, 320));
        assert_eq!([at(40, 200), at(279, 439), at(160, 320)], [Some([0, 0]), Some([47, 47]), Some([24, 24])]);
        assert_eq!([at(39, 320), at(280, 320), at(160, 199), at(160, 440), at(320, 320), at(0, 640)], [None; 6]);
    }
}
