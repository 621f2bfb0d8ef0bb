//! Systems without groups of processes: what a program has started may outlive it.

use std::process::{Child, Command, ExitStatus};

/// Nothing has to be done.
pub(in crate::process) fn begin_with(_: &mut Command) {}

/// Whether it has ended.
pub(in crate::process) fn has_ended(child: &mut Child) -> bool {
    // An error means that there is no such child any more.
    !matches!(child.try_wait(), Ok(None))
}

/// Ends it.
pub(in crate::process) fn end(child: &mut Child) {
    // Nobody is left to be told that it has ended already.
    let _ = child.kill();
}

/// How it ended, in words.
pub(in crate::process) fn how(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("with exit code {code}"))
}
