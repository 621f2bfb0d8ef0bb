//! Tensors of a file that `torch.save` has written.

use std::collections::BTreeMap;
use std::path::Path;

use half::{bf16, f16};
use pytorch_reader::{DType, PytorchReader};

use super::Tensors;
use super::tensors::numbers;
use crate::pretrained::ImportError;

/// The reader knows the pickles of tensors and follows no other instruction.
pub(super) struct PytorchTensors(PytorchReader);

impl PytorchTensors {
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let reader = PytorchReader::new(path).map_err(|error| ImportError::broken(path, error.to_string()))?;
        if reader.is_empty() {
            return Err(ImportError::broken(path, "no tensors in it"));
        }
        Ok(Self(reader))
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
