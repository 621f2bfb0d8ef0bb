//! Where each family's checkpoints keep what, one file for each.

mod config;
mod dinov2;
mod image;
mod levjepa;
mod lewm;
mod run;
mod vit;
mod vjepa2;
mod vjepa2_1;
mod vjepa2_official;

pub use config::ConfigReader;

use serde_json::Value;

use super::{Checkpoint, ImportError, PretrainedSpec};

/// The layout of a family's checkpoints. Import and export read the same table, [`Layout::place`].
pub trait Layout: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What a checkpoint holds, if it is of this family; a prefix of its names is set on the checkpoint. `source` and `weights` are filled in
    /// by the importer.
    ///
    /// # Errors
    /// If it is of this family, and cannot be had.
    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError>;

    /// Where a parameter of ours, such as `encoder.blocks.0.attn.qkv.weight`, lies; `None` if it has no place there.
    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place>;

    /// Why a tensor that is not used is not, such as a pooler that features do without; `None`: not known.
    fn left_out(&self, name: &str) -> Option<&'static str>;

    /// What an export is of, where that is another than what was imported.
    fn exported(&self, spec: &PretrainedSpec) -> PretrainedSpec {
        spec.clone()
    }

    /// The file of an export that has the weights; one that ends in `.pt` is what `torch.load` reads.
    fn weights(&self) -> &'static str {
        "model.safetensors"
    }

    /// `config.json` and `preprocessor_config.json` for an export, under their file names; empty if this layout is not written.
    fn describe(&self, spec: &PretrainedSpec) -> Vec<(&'static str, Value)>;
}

/// Where a parameter lies: in one tensor, or in several, one after the other along its first axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Names of the tensors.
    pub parts: Vec<String>,
    /// The axes of each part, if there are others than ours: those of a convolution's kernel, or of a table with one row more around it.
    pub shape: Option<Vec<usize>>,
    /// A tensor of as many numbers, whatever its axes, that is added: here the two are one parameter. Such a place is read, not written.
    pub plus: Option<String>,
}

impl Place {
    /// One tensor of the same shape.
    pub fn one(name: impl Into<String>) -> Self {
        Self { parts: vec![name.into()], ..Self::default() }
    }

    /// One tensor of another shape.
    pub fn shaped(name: impl Into<String>, shape: impl Into<Vec<usize>>) -> Self {
        Self { parts: vec![name.into()], shape: Some(shape.into()), plus: None }
    }

    /// Tensors of equal sizes, one after the other: `{before}{part}{after}`.
    pub fn stacked(before: &str, parts: [&str; 3], after: &str) -> Self {
        Self { parts: parts.map(|part| format!("{before}{part}{after}")).to_vec(), ..Self::default() }
    }
}

/// The built-in layouts, in the order in which they are tried.
pub fn built_in() -> [&'static dyn Layout; 9] {
    [
        &run::MASKED,
        &run::MULTI_VIEW,
        &vjepa2::Vjepa2,
        &levjepa::Levjepa,
        &dinov2::Dinov2,
        &vit::Vit,
        &lewm::Lewm,
        &vjepa2_1::Vjepa21,
        &vjepa2_official::Vjepa2Official,
    ]
}

/// A block's parameter, `blocks.3.attn.qkv.weight` as 3 and `attn.qkv.weight`.
fn in_block(path: &str) -> Option<(usize, &str)> {
    let (number, rest) = path.strip_prefix("blocks.")?.split_once('.')?;
    Some((number.parse().ok()?, rest))
}
