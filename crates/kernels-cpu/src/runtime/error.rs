//! Why a runtime cannot start.

use super::Runtime;

/// Why a runtime cannot start.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The environment names a level that this machine does not have.
    #[error("{} is {value}, but must be a level of this processor: {allowed}", super::LEVEL_VARIABLE)]
    Level {
        /// What the variable holds.
        value: String,
        /// The names of the levels, separated by commas.
        allowed: String,
    },
    /// No thread is to work.
    #[error("threads is 0, but must be at least 1")]
    NoThreads,
    /// The process has started another runtime.
    #[error("the runtime of a process cannot change: {running} is running, {asked} is asked for")]
    Running {
        /// The one that was started.
        running: Runtime,
        /// The one that was to be.
        asked: Runtime,
    },
    /// The system gives no threads, or the process has started rayon's global pool.
    #[error("the threads of the kernels cannot be started")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}
