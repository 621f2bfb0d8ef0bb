//! Weights to and from safetensors files.
//!
//! A tensor's name is its path in the module without the names of enum variants, for example `encoder.projection.weight` or
//! `predictor.blocks.0.attn.qkv.weight`. Linear weights are stored as they are in memory, `[input, output]`.

use std::path::Path;

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};

use crate::ModelError;

/// Writes every parameter to `path`, replacing a file that is there. The file appears whole or not at all: it is written under a
/// temporary name beside `path` and renamed. Equal weights give equal bytes.
///
/// # Errors
/// When the file cannot be written; the message names it.
pub fn save<M: Module>(model: &M, path: &Path) -> Result<(), ModelError> {
    // One metadata key, the one other readers look for: several would be written in an order that changes from run to run.
    let mut store = SafetensorsStore::from_file(path)
        .skip_enum_variants(true)
        .overwrite(true)
        .clear_metadata()
        .metadata("format", "pt");
    model.save_into(&mut store).map_err(|error| ModelError::Store {
        path: path.to_owned(),
        action: "write",
        message: error.to_string(),
    })
}

/// Reads every parameter of `model` from `path`, bit for bit. The file must hold exactly the model's tensors.
///
/// # Errors
/// When the file cannot be read, lacks a tensor of the model, holds one the model does not have, or one of another shape; the message
/// names the file and the tensor. The model may then be partly overwritten.
pub fn load<M: Module>(model: &mut M, path: &Path) -> Result<(), ModelError> {
    let mut store = SafetensorsStore::from_file(path).skip_enum_variants(true).allow_partial(true).validate(false);
    let mut result = model.load_from(&mut store).map_err(|error| ModelError::Store {
        path: path.to_owned(),
        action: "read",
        message: error.to_string(),
    })?;
    if let Some(error) = result.errors.first() {
        return Err(apply_error(path, error));
    }
    result.missing.sort();
    if let Some((first, _)) = result.missing.first() {
        return Err(ModelError::MissingTensor {
            path: path.to_owned(),
            first: first.clone(),
            missing: result.missing.len(),
            expected: result.missing.len() + result.applied.len(),
        });
    }
    result.unused.sort();
    if let Some(first) = result.unused.first() {
        return Err(ModelError::UnexpectedTensor {
            path: path.to_owned(),
            first: first.clone(),
            unexpected: result.unused.len(),
        });
    }
    Ok(())
}

fn apply_error(path: &Path, error: &burn::store::ApplyError) -> ModelError {
    use burn::store::ApplyError::{AdapterError, DTypeMismatch, LoadError, ShapeMismatch};
    let (name, message) = match error {
        ShapeMismatch { path, expected, found } => {
            (path, format!("the model has shape {expected:?}, the file {found:?}"))
        }
        DTypeMismatch { path, expected, found } => {
            (path, format!("the model has type {expected:?}, the file {found:?}"))
        }
        AdapterError { path, message } | LoadError { path, message } => (path, message.clone()),
    };
    ModelError::Tensor { path: path.to_owned(), name: name.clone(), message }
}
