//! Brings weights in.

use std::collections::BTreeSet;
use std::path::Path;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use super::layouts::{self, Layout, Place};
use super::{Checkpoint, ImportError, Pretrained, PretrainedSpec};
use crate::parameters::{self, MapParameters, ParameterPath, transpose};

/// The last part of the path of a batch norm's variance.
const RUNNING_VARIANCE: &str = ".running_var";

/// What was taken of a checkpoint, and what was not.
#[derive(Clone, Debug)]
pub struct ImportReport {
    /// The layout that knew it.
    pub layout: &'static str,
    /// Names of the tensors that were used.
    pub used: Vec<String>,
    /// Names of those that were not, and why.
    pub left_out: Vec<(String, &'static str)>,
}

/// Makes a model of a folder or a file.
///
/// # Errors
/// If it cannot be opened, no layout knows it, a tensor of the model is missing or another than it must be, or one is left that the layout
/// does not know: what is loaded is whole.
pub fn import(path: &Path, device: &Device) -> Result<(Pretrained, ImportReport), ImportError> {
    let mut checkpoint = Checkpoint::open(path)?;
    if path.is_file() && Pretrained::is_one(path) {
        return Err(ImportError::broken(path, "a file of `prevision import` already, which can be used as it is"));
    }
    let (layout, mut spec) = recognise(&mut checkpoint)?;
    spec.source = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let fail = |message| ImportError::Unknown { path: path.to_owned(), message };
    spec.validate().map_err(fail)?;
    let mut model = Pretrained::fresh(spec.clone(), device);
    let mut load = Load { layout, spec: &spec, checkpoint: &mut checkpoint, used: BTreeSet::new(), error: None };
    model.networks = parameters::map(model.networks, &mut load);
    let Load { used, error, .. } = load;
    if let Some(error) = error {
        return Err(error);
    }
    let left_out = left_out(layout, &checkpoint, &used)?;
    model.spec.weights = model.hash();
    Ok((model, ImportReport { layout: layout.name(), used: used.into_iter().collect(), left_out }))
}

fn recognise(checkpoint: &mut Checkpoint) -> Result<(&'static dyn Layout, PretrainedSpec), ImportError> {
    for layout in layouts::built_in() {
        if let Some(spec) = layout.recognise(checkpoint)? {
            return Ok((layout, spec));
        }
    }
    let said = |key: &str| checkpoint.config()?.get(key).map(|value| format!("{key} is {value}"));
    let said = said("model_type").or_else(|| said("_target_"));
    let said = said.unwrap_or_else(|| "no config.json with a model_type or a _target_".to_owned());
    let first = checkpoint.names().next().unwrap_or_default();
    let known: Vec<&str> = layouts::built_in().iter().map(|layout| layout.name()).collect();
    let message = format!("{said}, its first tensor is `{first}`; known are {}", known.join(", "));
    Err(ImportError::Unknown { path: checkpoint.path().to_owned(), message })
}

/// Tensors that were not used, with the reasons that the layout has.
fn left_out(
    layout: &dyn Layout,
    checkpoint: &Checkpoint,
    used: &BTreeSet<String>,
) -> Result<Vec<(String, &'static str)>, ImportError> {
    let prefix = checkpoint.full_name("");
    let mut left = Vec::new();
    for name in checkpoint.names().filter(|name| !used.contains(*name)) {
        let within = name.strip_prefix(&prefix).unwrap_or(name);
        let Some(why) = layout.left_out(within) else {
            let message = format!("is not part of a {} model", layout.name());
            return Err(ImportError::Tensor { path: checkpoint.path().to_owned(), name: name.to_owned(), message });
        };
        left.push((name.to_owned(), why));
    }
    Ok(left)
}

/// Fills in one parameter after the other.
struct Load<'a> {
    layout: &'a dyn Layout,
    spec: &'a PretrainedSpec,
    checkpoint: &'a mut Checkpoint,
    used: BTreeSet<String>,
    /// The first that failed.
    error: Option<ImportError>,
}

impl Load<'_> {
    /// The numbers of a parameter, in the order in which files have them.
    fn values(&mut self, path: &str, stored: &[usize]) -> Result<Vec<f32>, ImportError> {
        let Some(Place { parts, shape, plus }) = self.layout.place(self.spec, path) else {
            return Err(ImportError::Missing {
                path: self.checkpoint.path().to_owned(),
                name: format!("(ours) {path}"),
            });
        };
        let expected = shape.unwrap_or_else(|| part_shape(stored, parts.len()));
        let mut values = Vec::with_capacity(stored.iter().product());
        for part in &parts {
            let name = self.checkpoint.full_name(part);
            match self.checkpoint.shape(part) {
                None => return Err(ImportError::Missing { path: self.checkpoint.path().to_owned(), name }),
                Some(found) if found != expected => {
                    let message = format!("has shape {found:?}, the model {expected:?}");
                    return Err(ImportError::Tensor { path: self.checkpoint.path().to_owned(), name, message });
                }
                Some(_) => values.extend(self.checkpoint.floats(part)?),
            }
            self.used.insert(name);
        }
        if let Some(part) = plus {
            self.add(&part, &mut values)?;
        }
        if let (true, Some(value)) = (path.ends_with(RUNNING_VARIANCE), values.iter().find(|value| **value < 0.0)) {
            let name = parts.first().map(|part| self.checkpoint.full_name(part)).unwrap_or_default();
            let message = format!("has a variance of {value}, expected 0 or more");
            return Err(ImportError::Tensor { path: self.checkpoint.path().to_owned(), name, message });
        }
        Ok(values)
    }

    /// Adds the numbers of a tensor, whatever its axes.
    fn add(&mut self, part: &str, values: &mut [f32]) -> Result<(), ImportError> {
        let (path, name) = (self.checkpoint.path().to_owned(), self.checkpoint.full_name(part));
        let Some(shape) = self.checkpoint.shape(part).map(<[usize]>::to_vec) else {
            return Err(ImportError::Missing { path, name });
        };
        if shape.iter().product::<usize>() != values.len() {
            let message = format!("has shape {shape:?}, the model {} numbers", values.len());
            return Err(ImportError::Tensor { path, name, message });
        }
        let added = self.checkpoint.floats(part)?;
        values.iter_mut().zip(added).for_each(|(value, added)| *value += added);
        self.used.insert(name);
        Ok(())
    }
}

impl MapParameters for Load<'_> {
    fn map<const D: usize>(&mut self, path: &ParameterPath, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return parameter;
        }
        let shape = parameter.lazy_shape().dims::<D>();
        let stored = path.stored_shape(&shape);
        match self.values(path.as_str(), &stored) {
            Ok(values) => {
                let values = if path.is_transposed() { transpose(&values, stored[0], stored[1]) } else { values };
                let (id, device) = (parameter.id, parameter.lazy_device());
                parameter.transform_for_load(Tensor::from_data(TensorData::new(values, shape), &device), id)
            }
            Err(error) => {
                self.error = Some(error);
                parameter
            }
        }
    }
}

/// The shape of each of so many equal parts, one after the other along the first axis.
pub(super) fn part_shape(stored: &[usize], parts: usize) -> Vec<usize> {
    let mut shape = stored.to_vec();
    if let Some(first) = shape.first_mut() {
        *first /= parts.max(1);
    }
    shape
}
