//! Ctrl-C, and what a scheduler sends to end a job.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Signals that ask for an end: Ctrl-C, a scheduler, a terminal that is closed.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// What the next signal asks to stop, if there is something that can be asked, and what then happens.
static WORK: Mutex<Option<(Arc<AtomicBool>, &str)>> = Mutex::new(None);

/// Work that ends in an orderly way when it is interrupted. As long as this value lives, SIGINT (Ctrl-C), SIGTERM and SIGHUP set
/// [`asked`](Self::asked); a second one, and one that comes when there is no such work, ends the program at once.
pub(crate) struct Interruptible {
    asked: Arc<AtomicBool>,
}

impl Interruptible {
    /// Begins such work; `then` says what happens when it is interrupted.
    ///
    /// # Errors
    /// If the system does not let signals be caught.
    pub(crate) fn begin(then: &'static str) -> Result<Self> {
        static CAUGHT: OnceLock<Result<(), String>> = OnceLock::new();
        CAUGHT
            .get_or_init(|| catch().map_err(|error| error.to_string()))
            .clone()
            .map_err(anyhow::Error::msg)
            .context("signals cannot be caught")?;
        let asked = Arc::new(AtomicBool::new(false));
        *WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&asked), then));
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
    match work.filter(|(asked, _)| !asked.swap(true, Ordering::Relaxed)) {
        Some((_, then)) => super::progress::line(&format!("interrupted: {then}; once more ends the program at once")),
        // The signal ends the program, as if it had not been caught; there is nothing left to do if that fails.
        None => drop(emulate_default_handler(signal)),
    }
}

/// Lets a write beyond the largest size of a file (`ulimit -f`) fail like any other, instead of ending the program.
pub(crate) fn let_large_files_fail() {
    // SIGXFSZ on Linux and macOS.
    const SIGXFSZ: i32 = 25;
    // It does nothing but take the signal; where it cannot be taken the system's way remains.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}
