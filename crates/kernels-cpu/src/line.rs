//! The unit of memory that is kept for later kernels.

/// One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line([u8; Line::BYTES]);

impl Line {
    /// Its length.
    pub(crate) const BYTES: usize = 64;
    /// All bits zero.
    pub(crate) const ZERO: Self = Self([0; Self::BYTES]);
}
