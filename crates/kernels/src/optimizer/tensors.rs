//! Between tensors and their memory.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Tensor};

use crate::on_cpu;

/// A tensor on the CPU backend: float32, one number after the other.
pub(super) struct Memory(FloatTensor<Flex>);

impl Memory {
    /// The memory of a tensor, which is copied if its numbers are not in order.
    pub(super) fn of(tensor: Tensor<1>) -> Self {
        let tensor = tensor.try_into_primitive::<Flex>().expect("checked by `in_memory`");
        Self(if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() })
    }

    pub(super) fn into_tensor(self) -> Tensor<1> {
        Tensor::from_primitive::<Flex>(self.0)
    }

    pub(super) fn read(&self) -> &[f32] {
        self.0.as_slice().expect("contiguous, float32")
    }

    /// In place if this is the only handle of the memory, else of a copy.
    pub(super) fn write(&mut self) -> &mut [f32] {
        let (start, end) = self.0.layout().contiguous_offsets().expect("contiguous");
        &mut self.0.storage_mut()[start..end]
    }
}

/// Whether a tensor, off the tape, has the memory that the kernels work on.
pub(super) fn in_memory(tensor: &Tensor<1>) -> bool {
    let device = tensor.device();
    on_cpu(&device) && !device.is_autodiff() && tensor.dtype() == DType::F32
}
