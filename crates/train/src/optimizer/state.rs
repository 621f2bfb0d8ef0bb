//! The optimiser's state: two moments and a count of steps for every parameter, by the parameter's path.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::container::TensorContainer;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::Optimizer;
use crate::TrainError;
use crate::run::write_atomically;

/// First and second moment and the number of steps of each parameter.
#[derive(Default)]
pub(super) struct Moments {
    first: TensorContainer<String>,
    second: TensorContainer<String>,
    steps: BTreeMap<String, usize>,
}

impl Moments {
    /// Takes the state of a parameter out.
    pub(super) fn take<const D: usize>(&mut self, path: &str) -> Option<(usize, Tensor<D>, Tensor<D>)> {
        let steps = self.steps.remove(path)?;
        let key = path.to_owned();
        Some((steps, self.first.remove(&key)?, self.second.remove(&key)?))
    }

    pub(super) fn put<const D: usize>(&mut self, path: String, steps: usize, first: Tensor<D>, second: Tensor<D>) {
        self.first.register(path.clone(), first);
        self.second.register(path.clone(), second);
        self.steps.insert(path, steps);
    }
}

/// Element type, shape and bytes of one tensor in a file.
type Stored = (Dtype, Vec<usize>, Vec<u8>);

impl Optimizer {
    /// Writes the state as safetensors: `moment_1.<path>`, `moment_2.<path>` and `steps.<path>` of every parameter.
    ///
    /// # Errors
    /// If the device fails or the file cannot be written; the message names the file.
    pub fn save<M: Module>(&self, model: &M, path: &Path) -> Result<(), TrainError> {
        let mut collector =
            Collector { moments: &self.moments, path: Vec::new(), tensors: BTreeMap::new(), error: None };
        model.visit(&mut collector);
        if let Some(error) = collector.error {
            return Err(TrainError::Device(error));
        }
        let views = collector
            .tensors
            .iter()
            .map(|(name, (dtype, shape, bytes))| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        let bytes = views.and_then(|views| serialize(views, None)).map_err(|error| TrainError::format(path, error))?;
        write_atomically(path, &bytes)
    }

    /// Reads a state that [`save`](Self::save) wrote for a model of the same structure.
    ///
    /// # Errors
    /// If the file cannot be read, or holds the state of another model; the message names the file and the tensor.
    pub fn load<M: Module>(&mut self, model: &M, path: &Path) -> Result<(), TrainError> {
        let bytes = std::fs::read(path).map_err(|source| TrainError::read(path, source))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| TrainError::format(path, error))?;
        let mut restorer =
            Restorer { file: &file, path: Vec::new(), moments: Moments::default(), read: 0, error: None };
        model.visit(&mut restorer);
        if let Some(message) = restorer.error {
            return Err(TrainError::format(path, message));
        }
        if restorer.read != file.len() {
            let message = format!("holds {} tensors, the model uses {} of them", file.len(), restorer.read);
            return Err(TrainError::format(path, message));
        }
        self.moments = restorer.moments;
        Ok(())
    }
}

struct Collector<'a> {
    moments: &'a Moments,
    path: Vec<String>,
    tensors: BTreeMap<String, Stored>,
    error: Option<String>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let Some(steps) = self.moments.steps.get(&path) else { return };
        let count = (*steps as u64).to_le_bytes().to_vec();
        self.tensors.insert(format!("steps.{path}"), (Dtype::U64, vec![1], count));
        for (name, moments) in [("moment_1", &self.moments.first), ("moment_2", &self.moments.second)] {
            let Some(tensor) = moments.get::<Tensor<D>>(&path) else { continue };
            let shape = tensor.dims().to_vec();
            match tensor.try_into_vec_as::<f32>() {
                Ok(values) => {
                    let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
                    self.tensors.insert(format!("{name}.{path}"), (Dtype::F32, shape, bytes));
                }
                Err(error) => self.error = Some(error.to_string()),
            }
        }
    }
}

struct Restorer<'a> {
    file: &'a SafeTensors<'a>,
    path: Vec<String>,
    moments: Moments,
    read: usize,
    error: Option<String>,
}

impl Restorer<'_> {
    fn tensor<const D: usize>(&self, name: &str, shape: [usize; D], device: &Device) -> Result<Tensor<D>, String> {
        let view = self.file.tensor(name).map_err(|error| error.to_string())?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(format!("tensor `{name}` is {:?} {:?}, expected F32 {shape:?}", view.dtype(), view.shape()));
        }
        let (chunks, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    fn restore<const D: usize>(&mut self, param: &Tensor<D>) -> Result<(), String> {
        let path = self.path.join(".");
        let Ok(steps) = self.file.tensor(&format!("steps.{path}")) else { return Ok(()) };
        let count = <[u8; 8]>::try_from(steps.data()).map_err(|_| format!("tensor `steps.{path}` is not one U64"))?;
        let device = param.device().without_autodiff();
        let first = self.tensor(&format!("moment_1.{path}"), param.dims(), &device)?;
        let second = self.tensor(&format!("moment_2.{path}"), param.dims(), &device)?;
        self.moments.put::<D>(path, u64::from_le_bytes(count) as usize, first, second);
        self.read += 3;
        Ok(())
    }
}

impl ModuleVisitor for Restorer<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.error.is_none()
            && let Err(error) = self.restore(&param.val())
        {
            self.error = Some(error);
        }
    }
}
