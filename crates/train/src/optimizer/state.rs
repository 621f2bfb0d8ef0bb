//! The optimiser's state: two moments and a count of steps for every parameter.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use burn::tensor::container::TensorContainer;
use prevision_model::parameters::{
    self, Entry, ParameterPath, TensorReader, TensorWriter, VisitParameters, named_parameters,
};

use super::Optimizer;
use crate::TrainError;

/// First and second moment and the number of steps of each parameter.
#[derive(Default)]
pub(super) struct Moments {
    first: TensorContainer<ParamId>,
    second: TensorContainer<ParamId>,
    steps: HashMap<ParamId, usize>,
}

impl Moments {
    /// Takes the state of a parameter out.
    pub(super) fn take<const D: usize>(&mut self, id: ParamId) -> Option<(usize, Tensor<D>, Tensor<D>)> {
        let steps = self.steps.remove(&id)?;
        Some((steps, self.first.remove(&id)?, self.second.remove(&id)?))
    }

    pub(super) fn put<const D: usize>(&mut self, id: ParamId, steps: usize, first: Tensor<D>, second: Tensor<D>) {
        self.first.register(id, first);
        self.second.register(id, second);
        self.steps.insert(id, steps);
    }
}

impl Optimizer {
    /// Writes the state as safetensors: `steps.<path>`, `moment_1.<path>` and `moment_2.<path>` of every parameter that has been
    /// moved, under the path and in the layout that the parameter has in a file of weights.
    ///
    /// # Errors
    /// If the device fails or the file cannot be written; the message names the file.
    pub fn save<M: Module>(&self, model: &M, path: &Path) -> Result<(), TrainError> {
        let steps = &self.moments.steps;
        let named: Vec<_> =
            named_parameters(model).into_iter().filter_map(|it| Some((*steps.get(&it.id)?, it))).collect();
        // Counts come first, so that their 8 bytes are aligned.
        let counts = named.iter().map(|(_, it)| Entry::count(format!("steps.{}", it.path)));
        let moments = named.iter().flat_map(|(_, it)| {
            ["moment_1", "moment_2"].map(|moment| Entry::floats(format!("{moment}.{}", it.path), it.shape.clone()))
        });
        let written = TensorWriter::create(path, counts.chain(moments).collect()).and_then(|mut file| {
            for (steps, _) in &named {
                file.count(*steps as u64);
            }
            parameters::visit(model, &mut Write { moments: &self.moments, file: &mut file });
            file.finish()
        });
        written.map_err(|error| TrainError::write(path, error))
    }

    /// Reads a state that [`save`](Self::save) wrote for a model of the same structure.
    ///
    /// # Errors
    /// If the file cannot be read, or holds the state of another model; the message names the file and the tensor.
    pub fn load<M: Module>(&mut self, model: &M, path: &Path) -> Result<(), TrainError> {
        let file = TensorReader::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => TrainError::format(path, error),
            _ => TrainError::read(path, error),
        })?;
        let mut read = Read { file, moments: Moments::default(), error: None };
        parameters::visit(model, &mut read);
        if let Some(message) = read.error {
            return Err(TrainError::format(path, message));
        }
        if let Some(name) = read.file.unread().next() {
            return Err(TrainError::format(path, format!("tensor `{name}` is of no parameter of the model")));
        }
        self.moments = read.moments;
        Ok(())
    }
}

struct Write<'a> {
    moments: &'a Moments,
    file: &'a mut TensorWriter,
}

impl VisitParameters for Write<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
        for moments in [&self.moments.first, &self.moments.second] {
            if let Some(tensor) = moments.get::<Tensor<D>>(&parameter.id) {
                self.file.floats(tensor, path.is_transposed());
            }
        }
    }
}

struct Read {
    file: TensorReader,
    moments: Moments,
    error: Option<String>,
}

impl Read {
    fn parameter<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) -> Result<(), String> {
        let steps = format!("steps.{}", path.as_str());
        let failed = |name: &str, error: io::Error| format!("tensor `{name}`: {error}");
        let Some(steps) = self.file.count(&steps).map_err(|error| failed(&steps, error))? else { return Ok(()) };
        let device = parameter.lazy_device().without_autodiff();
        let mut moment = |moment: &str| {
            let name = format!("{moment}.{}", path.as_str());
            let shape = parameter.lazy_shape().dims();
            let tensor = self.file.floats::<D>(&name, shape, path.is_transposed(), &device);
            tensor.map_err(|error| failed(&name, error))?.ok_or_else(|| format!("no tensor `{name}`"))
        };
        let (first, second) = (moment("moment_1")?, moment("moment_2")?);
        self.moments.put(parameter.id, steps as usize, first, second);
        Ok(())
    }
}

impl VisitParameters for Read {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
        if self.error.is_none() {
            self.error = self.parameter(path, parameter).err();
        }
    }
}
