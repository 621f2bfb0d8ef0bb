//! The training loop from outside: learning, resuming, failing, and the built-in and other tasks.

#![allow(clippy::unwrap_used)] // clippy knows test functions, but not their helpers

mod failing;
mod learning;
mod own_task;
mod resuming;
mod team;
mod tensorboard;
mod terms;
mod world;
