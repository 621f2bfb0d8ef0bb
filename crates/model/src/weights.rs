//! Weights to and from safetensors files, in `PyTorch`'s layout and names.
//!
//! A tensor's name is its path in the module, see [`ParameterPath`], for example `encoder.projection.weight` or
//! `predictor.blocks.0.attn.qkv.weight`. Linear weights are `[outputs, inputs]`, convolutions `[outputs, inputs, rows, columns]`, the
//! matrices of a gated recurrent unit `[3 outputs, inputs]`, all as `PyTorch` has them.

use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::ModelError;
use crate::parameters::{
    self, Entry, MapParameters, ParameterPath, StoredType, TensorReader, TensorWriter, VisitParameters,
    named_parameters,
};

/// Writes every parameter to `path`, replacing a file that is there. The file appears whole or not at all: it is written under a
/// temporary name beside `path` and renamed. Equal weights give equal bytes.
///
/// # Errors
/// When the file cannot be written, or a parameter is not of floating-point numbers; the message names it.
pub fn save<M: Module>(model: &M, path: &Path) -> Result<(), ModelError> {
    write(model, path, None, StoredType::Float32)
}

/// As [`save`], with a text that says what the weights are of; [`description`] reads it.
///
/// # Errors
/// As [`save`].
pub fn save_described<M: Module>(model: &M, path: &Path, description: &str) -> Result<(), ModelError> {
    write(model, path, Some(description), StoredType::Float32)
}

/// As [`save_described`], with the matrices in another type. [`load`] gives what [`StoredType::rounded`] says.
///
/// # Errors
/// As [`save`], and when a number is too large for the type.
pub fn save_stored<M: Module>(model: &M, path: &Path, description: &str, stored: StoredType) -> Result<(), ModelError> {
    write(model, path, Some(description), stored)
}

/// The text that [`save_described`] has put beside the weights of `path`; `None` without one.
///
/// # Errors
/// When the file cannot be read, or is not in `PyTorch`'s layout.
pub fn description(path: &Path) -> Result<Option<String>, ModelError> {
    let file = TensorReader::open(path).map_err(|error| store_error(path, "read", &error))?;
    Ok(file.description().map(str::to_owned))
}

fn write<M: Module>(model: &M, path: &Path, description: Option<&str>, stored: StoredType) -> Result<(), ModelError> {
    let entries =
        named_parameters(model).into_iter().flat_map(|it| Entry::parameter(it.path, it.shape, stored)).collect();
    let written = TensorWriter::create_described(path, entries, description).and_then(|mut file| {
        parameters::visit(model, &mut Write(&mut file));
        file.finish()
    });
    written.map_err(|error| store_error(path, "write", &error))
}

struct Write<'a>(&'a mut TensorWriter);

impl VisitParameters for Write<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
        self.0.floats(parameter.transform_for_save().val().without_autodiff(), path.is_transposed());
    }

    fn visit_other(&mut self, path: &ParameterPath) {
        self.0.fail(format!("parameter `{}` is not of floating-point numbers", path.as_str()));
    }
}

/// Reads every parameter of `model` from `path`, bit for bit, as 32-bit floats whatever [`StoredType`] it is stored in. The file must hold exactly the model's tensors.
///
/// # Errors
/// When the file cannot be read or is not in `PyTorch`'s layout, lacks a tensor of the model, holds one the model does not have, or one
/// of another shape; the message names the file and the tensor. The model may then be partly overwritten.
pub fn load<M: Module>(model: &mut M, path: &Path) -> Result<(), ModelError> {
    let file = TensorReader::open(path).map_err(|error| store_error(path, "read", &error))?;
    let mut read = Read { file, applied: 0, missing: Vec::new(), error: None };
    *model = parameters::map(model.clone(), &mut read);
    if let Some((name, message)) = read.error {
        return Err(ModelError::Tensor { path: path.to_owned(), name, message });
    }
    read.missing.sort();
    if let Some(first) = read.missing.first() {
        return Err(ModelError::MissingTensor {
            path: path.to_owned(),
            first: first.clone(),
            missing: read.missing.len(),
            expected: read.missing.len() + read.applied,
        });
    }
    let mut unread = read.file.unread();
    let unexpected = unread.len();
    match unread.next() {
        Some(first) => Err(ModelError::UnexpectedTensor { path: path.to_owned(), first: first.to_owned(), unexpected }),
        None => Ok(()),
    }
}

struct Read {
    file: TensorReader,
    applied: usize,
    missing: Vec<String>,
    /// The first tensor that does not fit, and why.
    error: Option<(String, String)>,
}

impl MapParameters for Read {
    fn map<const D: usize>(&mut self, path: &ParameterPath, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return parameter;
        }
        let shape = parameter.lazy_shape().dims();
        match self.file.floats(path.as_str(), shape, path.is_transposed(), &parameter.lazy_device()) {
            Ok(Some(tensor)) => {
                self.applied += 1;
                let id = parameter.id;
                parameter.transform_for_load(tensor, id)
            }
            Ok(None) => {
                self.missing.push(path.as_str().to_owned());
                parameter
            }
            Err(error) => {
                self.error = Some((path.as_str().to_owned(), error.to_string()));
                parameter
            }
        }
    }
}

fn store_error(path: &Path, action: &'static str, error: &std::io::Error) -> ModelError {
    ModelError::Store { path: path.to_owned(), action, message: error.to_string() }
}
