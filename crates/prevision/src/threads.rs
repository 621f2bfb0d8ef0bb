//! The threads that kernels run on.

use anyhow::{Context as _, Result};

/// Starts `count` threads, or one for each core, of which this is one: it works too instead of waiting for others, so that a step of
/// many small kernels does not change threads with each of them.
///
/// # Errors
/// If the system gives no threads.
pub(crate) fn start(count: Option<u16>) -> Result<()> {
    // 0 is one for each core.
    let count = count.map_or(0, usize::from);
    rayon::ThreadPoolBuilder::new().use_current_thread().num_threads(count).build_global().context("threads")
}
