//! The binary from outside: what a user types, what is printed, what is left on disk.

mod bad_input;
mod bench;
mod broken_videos;
mod help;
mod killed;
mod pipeline;
mod precision;
mod support;
