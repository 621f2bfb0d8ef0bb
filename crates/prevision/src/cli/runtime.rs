//! What kernels run with.

use anyhow::Result;
use prevision_kernels::Runtime;

/// Starts what kernels run with, on this number of threads or on as many as the environment says.
pub(crate) fn start_runtime(threads: Option<usize>) -> Result<()> {
    let runtime = Runtime::from_environment()?;
    Ok(Runtime { threads: threads.unwrap_or(runtime.threads), ..runtime }.start()?)
}
