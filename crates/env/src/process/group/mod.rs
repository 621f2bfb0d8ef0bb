//! A process and all that it starts, as one: where the system knows groups of processes.

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use elsewhere::{begin_with, end, has_ended, how};
#[cfg(unix)]
pub(super) use unix::{begin_with, end, has_ended, how};
