//! Tensors of the CPU backend as slices.

use burn::backend::TensorMetadata as _;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape, TensorData};

use crate::cpu::pool::Buffer;
use crate::memory::into_bytes;

/// A float32 tensor whose numbers are one slice; or bytes that a kernel keeps for its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Array(FlexTensor);

impl Array {
    /// The same numbers in the order of the axes; a copy when they are not.
    ///
    /// # Panics
    /// If the tensor is not float32.
    pub(crate) fn new(tensor: FlexTensor) -> Self {
        assert_eq!(tensor.dtype(), DType::F32, "kernels work on float32");
        Self(if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() })
    }

    /// A tensor of this shape whose numbers `fill` writes, every one.
    pub(crate) fn filled(shape: impl Into<Shape>, fill: impl FnOnce(&mut [f32])) -> Self {
        let shape = shape.into();
        let mut buffer = Buffer::new(shape.num_elements());
        fill(buffer.values());
        Self::of_buffer(shape, buffer)
    }

    /// A tensor of this shape with these numbers.
    fn of_buffer(shape: Shape, buffer: Buffer) -> Self {
        Self(FlexTensor::new(into_bytes(buffer), Layout::contiguous(shape), DType::F32))
    }

    /// Tensors of these shapes whose numbers `fill` writes, every one.
    pub(crate) fn all_filled(
        shapes: impl IntoIterator<Item: Into<Shape>>,
        fill: impl FnOnce(Vec<&mut [f32]>),
    ) -> Vec<Self> {
        let shapes: Vec<Shape> = shapes.into_iter().map(Into::into).collect();
        let mut buffers: Vec<Buffer> = shapes.iter().map(|shape| Buffer::new(shape.num_elements())).collect();
        fill(buffers.iter_mut().map(Buffer::values).collect());
        shapes.into_iter().zip(buffers).map(|(shape, buffer)| Self::of_buffer(shape, buffer)).collect()
    }

    /// As [`Array::filled`], with what `fill` gives beside.
    pub(crate) fn filled_with<R>(shape: impl Into<Shape>, fill: impl FnOnce(&mut [f32]) -> R) -> (Self, R) {
        let mut beside = None;
        let array = Self::filled(shape, |values| beside = Some(fill(values)));
        let Some(beside) = beside else { unreachable!("a new array is filled") };
        (array, beside)
    }

    /// Bytes, one after the other.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        let shape = Shape::from([bytes.len()]);
        Self(FlexTensor::new(Bytes::from_elems(bytes), Layout::contiguous(shape), DType::U8))
    }

    /// The bytes.
    ///
    /// # Panics
    /// If these are numbers.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.storage()
    }

    /// The numbers.
    ///
    /// # Panics
    /// If these are bytes.
    pub(crate) fn values(&self) -> &[f32] {
        let start = self.0.layout().start_offset();
        &self.0.storage::<f32>()[start..start + self.0.layout().num_elements()]
    }

    /// Lengths of the axes.
    pub(crate) fn shape(&self) -> Shape {
        self.0.shape()
    }

    /// Length of the last axis.
    pub(crate) fn width(&self) -> usize {
        let shape = self.0.shape();
        shape[shape.num_dims() - 1]
    }

    /// Rows of that length; 0 when there are no numbers.
    pub(crate) fn rows(&self) -> usize {
        self.values().len().checked_div(self.width()).unwrap_or(0)
    }

    /// The numbers for a tensor of any device.
    pub(crate) fn into_data(self) -> TensorData {
        self.0.into_data()
    }

    /// The tensor.
    pub(crate) fn into_tensor(self) -> FlexTensor {
        self.0
    }
}
