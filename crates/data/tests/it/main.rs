//! One binary for all tests of this crate, since linking takes longer than compiling.

mod check;
mod common;
mod convert;
mod damaged;
mod episodes;
mod films;
mod folder;
mod foreign_recording;
mod hdf5;
#[cfg(feature = "lance")]
mod lance;
mod lerobot;
mod loader;
mod lossless;
mod mixed;
mod moving_mnist;
#[cfg(feature = "object-store")]
mod object_store;
mod physics_films;
mod prepared;
mod streams;
mod table;
mod videos;
mod zarr;
