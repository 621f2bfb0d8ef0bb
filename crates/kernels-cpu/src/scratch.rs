//! Memory that a thread keeps for the next kernel, aligned to cache lines.
#![allow(unsafe_code)]

use std::cell::RefCell;

use super::line::Line;

/// A growing block of memory whose contents are left from its last use.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Vec<Line>);

/// Numbers of which any bits are a value.
pub(crate) trait Plain: Copy {}
impl Plain for f32 {}
impl Plain for u16 {}

impl Scratch {
    /// The first `length` numbers; what they hold is unspecified.
    pub(crate) fn get<T: Plain>(&mut self, length: usize) -> &mut [T] {
        let lines = (length * size_of::<T>()).div_ceil(Line::BYTES);
        if self.0.len() < lines {
            self.0.resize(lines, Line::ZERO);
        }
        // SAFETY: the lines are initialised, hold at least `length` numbers, are aligned to 64 bytes, and any bits are a `T`.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), length) }
    }

    /// The first `length` numbers as they were left.
    ///
    /// # Panics
    /// If there were never as many.
    pub(crate) fn kept<T: Plain>(&self, length: usize) -> &[T] {
        assert!(length * size_of::<T>() <= self.0.len() * Line::BYTES, "{length} numbers are kept");
        // SAFETY: the lines are initialised, hold at least `length` numbers, are aligned to 64 bytes, and any bits are a `T`.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), length) }
    }
}

thread_local! {
    static KEPT: RefCell<Vec<Scratch>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with memory of this thread. Calls may be nested: each has its own.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = KEPT.with_borrow_mut(Vec::pop).unwrap_or_default();
    let result = work(&mut scratch);
    KEPT.with_borrow_mut(|kept| kept.push(scratch));
    result
}
