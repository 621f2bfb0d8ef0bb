//! Anybody's world: a process that speaks over its standard input and output.
//!
//! The protocol is a page of the book, `docs/src/world-protocol.md`. One process serves all rows of a batch. Everything that it sends is
//! checked; whatever is wrong has a name ([`ProcessError`]), and nothing waits longer than the deadline.

mod array;
mod command;
mod connection;
mod error;
mod group;
mod hello;
mod message;
mod moments;
mod row;
mod single;
mod worker;
mod worlds;

pub(crate) use command::check_seconds;
pub use command::{CommandWorld, NAME, Options};
pub use connection::Launch;
pub use error::{Fault, ProcessError};
pub use hello::{Hello, PROTOCOL, Serves};
pub use single::ProcessEnvironment;
pub use worlds::ProcessWorlds;
