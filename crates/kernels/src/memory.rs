//! Memory of the pool as the memory of tensors.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use cubecl_environment::bytes::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};

use crate::cpu::pool::Buffer;

/// The numbers as the memory of a tensor, which gives the buffer back to the pool when it is dropped.
pub(crate) fn into_bytes(mut buffer: Buffer) -> Bytes {
    let length = size_of_val(buffer.values());
    // SAFETY: the buffer holds at least `length` initialised bytes.
    unsafe { Bytes::from_controller(Box::new(Pooled(buffer)), length) }
}

struct Pooled(Buffer);

impl AllocationController for Pooled {
    fn alloc_align(&self) -> usize {
        64
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let bytes = self.0.bytes_mut();
        // SAFETY: these are the same bytes, in the same borrow; the trait has its user write initialised bytes alone.
        Ok(unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len()) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let bytes = self.0.bytes();
        // SAFETY: these are the same bytes, in the same borrow.
        Ok(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_s_memory_goes_back_to_the_pool() {
        // A size that no other test uses.
        let mut buffer = Buffer::new(77_777);
        buffer.values().fill(3.0);
        let bytes = into_bytes(buffer);
        assert_eq!(bytes.len(), 4 * 77_777);
        assert_eq!(bytes[4 * 77_776..], 3.0_f32.to_ne_bytes());
        let place = bytes.as_ptr();
        drop(bytes);
        assert_eq!(Buffer::new(77_777).bytes().as_ptr(), place);
    }
}
