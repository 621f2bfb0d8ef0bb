//! One binary for all tests of this crate, since linking takes longer than compiling.

mod distance;
mod golden;
mod terms;
