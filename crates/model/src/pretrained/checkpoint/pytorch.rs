//! Tensors of a file that `torch.save` has written.

use std::collections::BTreeMap;
use std::path::Path;

use half::{bf16, f16};
use pytorch_reader::{DType, PickleValue, PytorchReader};

use super::Tensors;
use super::tensors::numbers;
use crate::pretrained::ImportError;

/// Packages whose objects lie beside weights and only hold data.
const HARMLESS: [&str; 7] = ["torch", "numpy", "collections", "argparse", "pathlib", "omegaconf", "yacs"];
/// Python's own that do.
const BUILT_IN: [&str; 6] = ["set", "frozenset", "complex", "slice", "bytearray", "object"];

/// The reader knows the pickles of tensors and follows no other instruction; a file that has one is refused all the same.
pub(super) struct PytorchTensors(PytorchReader);

impl PytorchTensors {
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let broken = |error: pytorch_reader::PytorchError| ImportError::broken(path, error.to_string());
        let reader = PytorchReader::new(path).map_err(broken)?;
        let values = PytorchReader::read_pickle_data(path, None).map_err(broken)?;
        if let Some(name) = instruction(&values) {
            let message = format!("it asks to run `{name}` when it is opened, expected weights alone; nothing was run");
            return Err(ImportError::broken(path, message));
        }
        if reader.is_empty() {
            return Err(ImportError::broken(path, "no tensors in it"));
        }
        Ok(Self(reader))
    }
}

/// The first object among these values that is no data, if there is one.
fn instruction(value: &PickleValue) -> Option<&str> {
    match value {
        PickleValue::List(values) => values.iter().find_map(instruction),
        PickleValue::Dict(values) => values.values().find_map(instruction),
        PickleValue::Unsupported(name) => {
            let (package, rest) = name.split_once('.')?;
            let built_in = ["builtins", "__builtin__"].contains(&package) && BUILT_IN.contains(&rest);
            (!built_in && !HARMLESS.contains(&package)).then_some(name)
        }
        _ => None,
    }
}

impl Tensors for PytorchTensors {
    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let tensors = self.0.tensors();
        tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape().to_vec())).collect()
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, String> {
        let tensor = self.0.get(name).ok_or("there is none")?;
        let bytes = || tensor.read().map_err(|error| error.to_string());
        match tensor.dtype() {
            DType::F32 => Ok(numbers(&bytes()?, f32::from_ne_bytes)),
            DType::F16 => Ok(numbers(&bytes()?, |bytes| f16::from_ne_bytes(bytes).to_f32())),
            DType::BF16 => Ok(numbers(&bytes()?, |bytes| bf16::from_ne_bytes(bytes).to_f32())),
            DType::F64 => Ok(numbers(&bytes()?, |bytes| f64::from_ne_bytes(bytes) as f32)),
            other => Err(format!("has type {other:?}, expected F32, F16, BF16 or F64")),
        }
    }
}
