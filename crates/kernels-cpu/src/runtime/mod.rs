//! What kernels run with: the instructions of the processor, the precision of products, and threads.
//!
//! A process has one [`Runtime`]. A program starts it with [`Runtime::start`]; if it does not, the first kernel does,
//! with [`Runtime::from_environment`]. Starting it also has the allocator keep freed memory. [`with_precision`] and
//! [`with_level`] change the runtime for the work inside them on this thread, and
//! [`parallel::map`](crate::parallel::map) takes that along to other threads.
//!
//! The functions of this crate on slices take level and precision as arguments and never look here; `prevision-kernels`
//! asks [`Runtime::current`] once for each operation.

mod allocator;
mod environment;
mod error;
mod scope;
mod threads;

use std::fmt;
use std::sync::OnceLock;

pub use environment::LEVEL_VARIABLE;
pub use error::RuntimeError;
pub(crate) use scope::Scope;
pub use scope::{with_level, with_precision};

use super::{Level, Precision};

/// What kernels run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Instructions that kernels use.
    pub level: Level,
    /// How exact products are.
    pub precision: Precision,
    /// Threads that share the work of a kernel, the one that calls it included.
    pub threads: usize,
}

static PROCESS: OnceLock<Runtime> = OnceLock::new();

impl Runtime {
    /// The highest level of this machine, or the one that `PREVISION_LEVEL` names; products in float32; a thread for
    /// each core, or as many as `RAYON_NUM_THREADS` says.
    ///
    /// # Errors
    /// [`RuntimeError::Level`] if `PREVISION_LEVEL` is no level of this machine.
    pub fn from_environment() -> Result<Self, RuntimeError> {
        let level = environment::level(std::env::var_os(LEVEL_VARIABLE))?;
        let threads = environment::threads(std::env::var_os(environment::THREADS_VARIABLE));
        Ok(Self { level, precision: Precision::Float32, threads })
    }

    /// Makes this the runtime of the process: starts the threads, of which the calling one is the first, and has the
    /// allocator keep freed memory. Does nothing if the same is running.
    ///
    /// The threads work together on one kernel at a time: of two that are called at the same time, one is done by the thread that
    /// calls it. Burn's own operations run on rayon's threads, as many, of which the calling one is the first: it should be the one
    /// that trains or plans.
    ///
    /// # Errors
    /// If there are to be no threads, another runtime is running, or rayon's global pool cannot be started or was
    /// already.
    pub fn start(self) -> Result<(), RuntimeError> {
        if self.threads == 0 {
            return Err(RuntimeError::NoThreads);
        }
        let mut started = Ok(());
        let running = *PROCESS.get_or_init(|| {
            allocator::keep_freed_memory();
            started = threads::start(self.threads);
            if started.is_ok() { self } else { Self { threads: threads::start_unless_running(self.threads), ..self } }
        });
        started?;
        if running == self { Ok(()) } else { Err(RuntimeError::Running { running, asked: self }) }
    }

    /// What a kernel that is called here and now runs with: the process's runtime, with the level and precision of the
    /// scope that this thread is in.
    ///
    /// # Panics
    /// If no runtime was started, and [`Self::from_environment`] is an error.
    pub fn current() -> Self {
        let process = *PROCESS.get_or_init(first);
        Scope::current().map_or(process, |Scope { level, precision }| Self { level, precision, ..process })
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, precision, threads } = self;
        write!(formatter, "{level} with {precision} on {threads} threads")
    }
}

/// The runtime of a process that did not start one.
#[cold]
fn first() -> Runtime {
    let runtime = Runtime::from_environment().unwrap_or_else(|error| panic!("{error}"));
    allocator::keep_freed_memory();
    Runtime { threads: threads::start_unless_running(runtime.threads), ..runtime }
}
