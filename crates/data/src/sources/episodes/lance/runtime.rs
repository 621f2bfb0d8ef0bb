//! The threads in which Lance works.

use std::future::Future;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;

use tokio::runtime::{Builder, Runtime};

use crate::DataError;

/// Threads that wait for files; decoding has threads of Lance's own.
const THREADS: usize = 2;

/// Does something with the table at a place and waits for it, on any thread.
///
/// # Errors
/// If that fails.
pub(super) fn wait<T: Send + 'static>(
    at: &Path,
    work: impl Future<Output = lance_core::Result<T>> + Send + 'static,
) -> Result<T, DataError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).thread_name("lance").enable_all().build();
        runtime.map_err(|error| format!("the threads for Lance cannot be started: {error}"))
    });
    let runtime = runtime.as_ref().map_err(|message| DataError::Config(message.clone()))?;
    let (sender, receiver) = sync_channel(1);
    runtime.spawn(async move {
        // Somebody waits until this is sent.
        let _ = sender.send(work.await);
    });
    match receiver.recv() {
        Ok(done) => done.map_err(|error| DataError::format(at, message(&error))),
        Err(_) => Err(DataError::format(at, "Lance failed on a file of the table; it may be damaged")),
    }
}

/// What an error says, without the place in Lance's source that it comes from.
fn message(error: &lance_core::Error) -> String {
    let text = error.to_string();
    let end = text.find(", /").or_else(|| text.find(", rust/")).unwrap_or(text.len());
    text[..end].to_owned()
}
