//! One binary for all tests of this crate, since linking takes longer than compiling.

mod check;
mod control;
mod gym;
mod layouts;
mod manifest;
mod maze;
mod patrol;
mod point_maze;
mod process;
mod push_t;
mod push_t_policies;
#[cfg(feature = "record")]
mod record;
mod two_rooms_224;
mod two_rooms_factors;
mod walls;
mod worlds;
