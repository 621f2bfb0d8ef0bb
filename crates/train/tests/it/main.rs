//! The training loop from outside: learning, resuming, failing.

#![allow(clippy::unwrap_used)] // clippy knows test functions, but not their helpers

mod failing;
mod learning;
mod resuming;
mod tensorboard;
mod world;
