//! Groups of processes.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Lets a program begin a group of its own.
pub(in crate::process) fn begin_with(command: &mut Command) {
    command.process_group(0);
}

/// Whether it has ended. It stays to be waited for, so that its group keeps its number.
pub(in crate::process) fn has_ended(child: &mut Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // An error means that there is no such child any more.
    !matches!(pid(child).map(|pid| waitid(WaitId::Pid(pid), options)), Some(Ok(None)))
}

/// Ends it and all that it started.
pub(in crate::process) fn end(child: &mut Child) {
    if let Some(pid) = pid(child) {
        // Nobody is left to be told that the group has ended already.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// How it ended, in words.
pub(in crate::process) fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("with exit code {code}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id() as i32)
}
