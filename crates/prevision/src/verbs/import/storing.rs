//! Weights in fewer bits, and what that does to features.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use burn::module::Module as _;
use burn::tensor::Device;
use prevision_core::seed;
use prevision_model::Pixels;
use prevision_model::parameters::StoredType;
use prevision_model::pretrained::{FeatureChange, Pretrained, PretrainedSpec};
use rand::RngCore as _;
use serde::Serialize;

use super::super::encode::first_window;

/// What was written, and what is told of it.
pub(super) struct Stored {
    /// The model that the file is of.
    pub(super) model: Pretrained,
    pub(super) told: Told,
}

/// What is told of the file.
#[derive(Serialize)]
pub(super) struct Told {
    dtype: &'static str,
    /// Of the file.
    bytes: u64,
    /// Of the weights as 32-bit floats.
    bytes_in_f32: u64,
    /// Of features, where weights were rounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Change>,
}

/// The change of features, and on what it was measured.
#[derive(Serialize)]
struct Change {
    clip: String,
    #[serde(flatten)]
    change: FeatureChange,
}

/// Writes the file, and encodes a clip with the weights before and after.
pub(super) fn save(model: &Pretrained, path: &Path, stored: StoredType, clip: Option<&Path>) -> Result<Stored> {
    let bytes_in_f32 = 4 * model.networks.num_params() as u64;
    // Read before anything is written: a broken video leaves no file.
    let clip = (stored != StoredType::Float32).then(|| clip_of(&model.spec, clip)).transpose()?;
    let rounded = model.save_stored(path, stored)?;
    let change = clip.map(|(clip, pixels)| Change { clip, change: FeatureChange::between(model, &rounded, pixels) });
    let bytes = path.metadata().with_context(|| format!("{}: cannot be read", path.display()))?.len();
    Ok(Stored { model: rounded, told: Told { dtype: stored.name(), bytes, bytes_in_f32, change } })
}

/// The first window of a video, or noise, and what it is called.
fn clip_of(spec: &PretrainedSpec, video: Option<&Path>) -> Result<(String, Pixels)> {
    let input = &spec.input;
    let sizes = [1, input.frames, input.crop, input.crop];
    let (name, bytes) = if let Some(path) = video {
        (path.display().to_string(), first_window(path, input)?)
    } else {
        let mut bytes = vec![0; sizes.iter().product::<usize>() * 3];
        seed::rng(0, "change of features", 0, 0).fill_bytes(&mut bytes);
        ("noise".to_owned(), bytes)
    };
    Ok((name, Pixels::from_rgb(bytes, sizes, input.mean, input.std, &Device::flex())))
}

impl Told {
    /// What people see of it, each line with its end.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        // Writing to a string cannot fail.
        let _ = write!(text, "stored      {}, {:.1} MB", self.dtype, megabytes(self.bytes));
        let Some(Change { clip, change }) = &self.change else { return text + "\n" };
        let FeatureChange { least_cosine, mean_cosine, largest } = change;
        let _ = writeln!(text, " instead of {:.1} MB in f32", megabytes(self.bytes_in_f32));
        let _ = writeln!(
            text,
            "features    cosine {least_cosine:.8} least, {mean_cosine:.8} mean of tokens, largest difference {largest:.2e}, of {clip}"
        );
        text
    }
}
