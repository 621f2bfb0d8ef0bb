//! What a file of features is to have.

use serde::Serialize;

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureTensor {
    /// Its name.
    pub name: &'static str,
    /// Its shape; the first axis is that of windows.
    pub shape: Vec<usize>,
}

impl FeatureTensor {
    /// A tensor of this name and shape.
    pub fn new(name: &'static str, shape: &[usize]) -> Self {
        Self { name, shape: shape.to_vec() }
    }

    /// Numbers in all.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no numbers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What all windows will have together, told before the first one.
#[derive(Clone, Debug)]
pub struct FeatureContents {
    /// The tensors. The first one is large: `features`, `predicted` or `latents`, `[windows, .., width]`. Of the others there can be `pooled`
    /// and `logits` `[windows, ..]`, `times` `[windows, 2]`, seconds, and `video` `[windows]`, whole numbers.
    pub tensors: Vec<FeatureTensor>,
    /// Of what model and of which videos they are, JSON.
    pub description: String,
}

impl FeatureContents {
    /// The large tensor.
    pub fn features(&self) -> &FeatureTensor {
        &self.tensors[0]
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.iter().any(|tensor| tensor.name == name)
    }
}

/// Some windows, one after the other; what there is no tensor for is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WindowFeatures {
    /// Of the large tensor, `windows * .. * width` numbers.
    pub features: Vec<f32>,
    /// Means of the tokens, `windows * width` numbers.
    pub pooled: Vec<f32>,
    /// Logits, `windows * classes` numbers.
    pub logits: Vec<f32>,
    /// Of each window when its first and its last frame are shown, in seconds.
    pub times: Vec<[f32; 2]>,
    /// Of each window the number of its video.
    pub videos: Vec<u64>,
}
