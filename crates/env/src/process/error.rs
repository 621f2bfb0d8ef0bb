//! What can go wrong with a world behind a process.

use std::fmt;

/// What is wrong with a process or with what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It could not be started.
    Start,
    /// It ended.
    Ended,
    /// It did not answer in time, and was ended.
    Late,
    /// What it wrote is no message of the protocol, or none that answers a request.
    Protocol,
    /// It said that it cannot do what was asked for.
    Refused,
    /// It sent something that does not fit what it had said of itself.
    Unfit,
    /// It sent a number that is not finite.
    NotFinite,
    /// Started again, it did not come to where it had been.
    Replay,
}

/// A fault, the request at which it showed, and the last lines that the process wrote to its standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessError {
    /// What sort of fault.
    pub fault: Fault,
    /// The request at which it showed: `hello`, `step`.
    pub request: &'static str,
    /// One sentence.
    pub message: String,
    /// The last lines that the process wrote to its standard error, oldest first.
    pub lines: Vec<String>,
}

impl ProcessError {
    /// A fault that showed at a request.
    pub(super) fn new(fault: Fault, request: &'static str, message: impl Into<String>) -> Self {
        Self { fault, request, message: message.into(), lines: Vec::new() }
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at `{}`: {}", self.request, self.message)?;
        if !self.lines.is_empty() {
            write!(f, "; its last lines:\n  {}", self.lines.join("\n  "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ProcessError {}
