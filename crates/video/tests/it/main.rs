//! One binary for all tests of this crate, since linking takes longer than compiling.

mod cases;
mod damage;
mod films;
mod generated;
mod mutated;
mod round_trip;
mod settings;
mod shared_data;
mod situations;
mod torture;
