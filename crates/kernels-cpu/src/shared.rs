//! A slice that the tasks of one kernel write to, each at its own places.
//!
//! # Safety
//! No two slices taken out of a [`Shared`] that are in use at the same time have a place in common.
#![allow(unsafe_code)]

use std::marker::PhantomData;

/// See the module.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    start: *mut f32,
    length: usize,
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: a thread reaches numbers through `slice` alone, whose precondition is that no other thread has them in use.
unsafe impl Send for Shared<'_> {}
// SAFETY: a thread reaches numbers through `slice` alone, whose precondition is that no other thread has them in use.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    /// Takes the slice for the time of a kernel.
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len(), owner: PhantomData }
    }

    /// The numbers `start .. start + length`.
    ///
    /// # Safety
    /// No other slice with any of these places is in use as long as this one is.
    ///
    /// # Panics
    /// If they are not all inside.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice(&self, start: usize, length: usize) -> &'a mut [f32] {
        assert!(start <= self.length && length <= self.length - start, "places {start} + {length} of {}", self.length);
        // SAFETY: the places are inside by the assertion, and no other slice with any of them is in use.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), length) }
    }
}
