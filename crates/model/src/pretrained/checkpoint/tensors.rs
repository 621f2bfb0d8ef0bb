//! Tensors of a safetensors file.

use std::collections::BTreeMap;
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::Dtype;

use super::Tensors;
use crate::parameters::SafetensorsFile;
use crate::pretrained::ImportError;

pub(super) struct SafetensorsTensors(SafetensorsFile);

impl SafetensorsTensors {
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        SafetensorsFile::open(path).map(Self).map_err(|error| ImportError::broken(path, error.to_string()))
    }
}

impl Tensors for SafetensorsTensors {
    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let tensors = self.0.metadata().tensors();
        tensors.into_iter().map(|(name, info)| (name, info.shape.clone())).collect()
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, String> {
        let info = self.0.metadata().info(name).ok_or("there is none")?;
        let (dtype, range) = (info.dtype, info.data_offsets);
        let bytes = |file: &mut SafetensorsFile| file.bytes(range).map_err(|error| error.to_string());
        match dtype {
            Dtype::F32 => Ok(numbers(&bytes(&mut self.0)?, f32::from_le_bytes)),
            Dtype::F16 => Ok(numbers(&bytes(&mut self.0)?, |bytes| f16::from_le_bytes(bytes).to_f32())),
            Dtype::BF16 => Ok(numbers(&bytes(&mut self.0)?, |bytes| bf16::from_le_bytes(bytes).to_f32())),
            Dtype::F64 => Ok(numbers(&bytes(&mut self.0)?, |bytes| f64::from_le_bytes(bytes) as f32)),
            other => Err(format!("has type {other:?}, expected F32, F16, BF16 or F64")),
        }
    }
}

/// Numbers of `N` bytes each.
pub(super) fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}
