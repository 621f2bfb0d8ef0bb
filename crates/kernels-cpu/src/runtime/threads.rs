//! The threads that kernels run on: rayon's global pool.

use rayon::ThreadPoolBuilder;

use super::RuntimeError;

/// Starts `count` threads of which the calling one is the first.
pub(super) fn start(count: usize) -> Result<(), RuntimeError> {
    Ok(ThreadPoolBuilder::new().use_current_thread().num_threads(count).build_global()?)
}

/// As [`start`] for a thread that may not live as long as the process: where it would be the only one, it gets another
/// to do its work, so that kernels of other threads never wait for it. Leaves the threads as they are if the program
/// has started them.
pub(super) fn start_unless_running(count: usize) {
    if rayon::current_thread_index().is_some() {
        return;
    }
    let pool = ThreadPoolBuilder::new().num_threads(count);
    let pool = if count > 1 { pool.use_current_thread() } else { pool };
    // An error says that there is a pool, or is met again by the first kernel.
    let _ = pool.build_global();
}

/// How many threads share the work of a kernel that this thread calls.
pub(super) fn running() -> usize {
    rayon::current_num_threads()
}
