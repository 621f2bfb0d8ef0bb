//! The training loop from outside: learning, resuming, failing.

mod failing;
mod learning;
mod resuming;
mod tensorboard;
mod world;
