//! Ctrl-C, and what a scheduler sends to end a job.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Signals that ask for an end: Ctrl-C, a scheduler, a terminal that is closed.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// What the next signal asks to stop, if there is something that can be asked.
static WORK: Mutex<Option<Arc<AtomicBool>>> = Mutex::new(None);

/// Work that ends in an orderly way when it is interrupted. As long as this value lives, SIGINT (Ctrl-C), SIGTERM and SIGHUP set
/// [`asked`](Self::asked); a second one, and one that comes when there is no such work, ends the program at once.
pub(crate) struct Interruptible {
    asked: Arc<AtomicBool>,
}

impl Interruptible {
    /// Begins such work.
    ///
    /// # Errors
    /// If the system does not let signals be caught.
    pub(crate) fn begin() -> Result<Self> {
        static CAUGHT: OnceLock<Result<(), String>> = OnceLock::new();
        CAUGHT
            .get_or_init(|| catch().map_err(|error| error.to_string()))
            .clone()
            .map_err(anyhow::Error::msg)
            .context("signals cannot be caught")?;
        let asked = Arc::new(AtomicBool::new(false));
        *WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&asked));
        Ok(Self { asked })
    }

    /// Becomes true when the work is to end.
    pub(crate) fn asked(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        *WORK.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Waits for signals on a thread of its own, whatever the others are busy with.
fn catch() -> std::io::Result<()> {
    let ignored = ignored();
    let mut signals = Signals::new(SIGNALS.iter().filter(|&&signal| ignored & 1 << (signal - 1) == 0))?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || signals.forever().for_each(interrupt))?;
    Ok(())
}

/// The signals that whoever started the program wants ignored, as `nohup` does with SIGHUP: a bit for each, the first for signal 1.
/// Only Linux tells.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn interrupt(signal: i32) {
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if work.is_none_or(|asked| asked.swap(true, Ordering::Relaxed)) {
        // The signal ends the program, as if it had not been caught; there is nothing left to do if that fails.
        let _ = emulate_default_handler(signal);
        return;
    }
    super::progress::line(
        "interrupted: the step is finished and a checkpoint written; once more ends the program at once",
    );
}
