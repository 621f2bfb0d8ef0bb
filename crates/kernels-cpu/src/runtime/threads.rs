//! The threads of a process: those that kernels run on, and as many of rayon's global pool, which Burn uses.

use rayon::ThreadPoolBuilder;

use super::RuntimeError;
use crate::parallel;

/// Starts `count` threads of which the calling one is the first.
pub(super) fn start(count: usize) -> Result<(), RuntimeError> {
    ThreadPoolBuilder::new().use_current_thread().num_threads(count).build_global()?;
    parallel::start(count);
    Ok(())
}

/// As [`start`] for a thread that may not live as long as the process: where rayon would have no other, it gets one, so that work of
/// other threads never waits for this one. Leaves rayon's threads as they are if the program has started them. Gives how many there are.
pub(super) fn start_unless_running(count: usize) -> usize {
    if rayon::current_thread_index().is_none() {
        let pool = ThreadPoolBuilder::new().num_threads(count);
        let pool = if count > 1 { pool.use_current_thread() } else { pool };
        // An error says that there is a pool, or is met again by the first work that needs one.
        let _ = pool.build_global();
    }
    let running = rayon::current_num_threads();
    parallel::start(running);
    running
}
