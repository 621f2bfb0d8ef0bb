//! The one thread on which requests are made.

use std::future::Future;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};

use crate::{Late, StorageError};

/// How often a waiting thread asks whether it is late.
const TICK: Duration = Duration::from_millis(20);

/// Makes a request and waits for its answer, on any thread, also one that belongs to another runtime. When it is late the
/// request is dropped.
pub(crate) fn wait<T: Send + 'static>(
    address: &Path,
    late: Late,
    request: impl Future<Output = T> + Send + 'static,
) -> Result<T, StorageError> {
    let (sender, receiver) = sync_channel(1);
    let task = handle()?.spawn(async move {
        // Nobody waits any more when this fails.
        let _ = sender.send(request.await);
    });
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) if late() => {
                task.abort();
                return Err(StorageError::TimedOut { address: address.to_owned() });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let reason = "the request was dropped".to_owned();
                return Err(StorageError::Network { address: address.to_owned(), reason });
            }
        }
    }
}

/// The runtime, which is started with the first request.
fn handle() -> Result<Handle, StorageError> {
    static HANDLE: OnceLock<Result<Handle, String>> = OnceLock::new();
    HANDLE.get_or_init(start).clone().map_err(|reason| StorageError::Settings { reason })
}

fn start() -> Result<Handle, String> {
    let failed = |error: std::io::Error| format!("the thread for requests cannot be started: {error}");
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("object-storage".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))
        .map_err(failed)?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::wait;
    use crate::{StorageError, after};
    use std::path::Path;
    use std::time::{Duration, Instant};

    #[test]
    fn answers_and_deadlines() {
        let address = Path::new("s3://b/a");
        assert_eq!(wait(address, &|| false, async { 7 }), Ok(7));
        let begin = Instant::now();
        let late = wait(address, &after(Duration::from_millis(50)), std::future::pending::<()>());
        assert_eq!(late, Err(StorageError::TimedOut { address: address.into() }));
        assert!(begin.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn inside_another_runtime() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async { assert_eq!(wait(Path::new("s3://b/a"), &|| false, async { 7 }), Ok(7)) });
    }
}
