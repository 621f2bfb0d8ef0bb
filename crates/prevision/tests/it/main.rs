//! The binary from outside: what a user types, what is printed, what is left on disk.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

mod bad_input;
mod bench;
mod book;
mod broken_videos;
mod distil;
mod encode;
mod experiment;
mod frozen;
mod help;
mod hierarchy;
mod interrupted;
mod json;
mod killed;
mod pipeline;
mod precision;
mod probe;
mod reports;
mod rollout;
mod support;
mod surprise;
mod tutorial;
