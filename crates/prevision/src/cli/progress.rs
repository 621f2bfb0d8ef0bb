//! Progress on standard error: a bar on a terminal, a plain line every few seconds elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Seconds between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// Parts of a bar.
const RESOLUTION: u64 = 10_000;

/// Shows how far one piece of work is.
pub(crate) struct Meter {
    what: String,
    bar: Option<ProgressBar>,
    printed: Option<Instant>,
}

impl Meter {
    pub(crate) fn new(what: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(RESOLUTION);
            if let Ok(style) = ProgressStyle::with_template("{prefix:>9} {bar:28} {percent:>3}% {msg}") {
                bar.set_style(style.progress_chars("━╸ "));
            }
            bar.set_prefix(what.to_owned());
            bar
        });
        Self { what: what.to_owned(), bar, printed: None }
    }

    /// `done` of the whole is done, 0 to 1.
    pub(crate) fn show(&mut self, done: f64, message: impl Fn() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position((done.clamp(0.0, 1.0) * RESOLUTION as f64) as u64);
            bar.set_message(message());
        } else if self.printed.is_none_or(|last| last.elapsed() >= PLAIN_EVERY) {
            self.printed = Some(Instant::now());
            // Nowhere is left to report a failure of standard error.
            let _ = writeln!(std::io::stderr(), "{} {:3.0}% {}", self.what, 100.0 * done.clamp(0.0, 1.0), message());
        }
    }

    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// One line on standard error.
pub(crate) fn line(text: &str) {
    // Nowhere is left to report a failure of standard error.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Seconds as people say them.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    if whole >= 3600 {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    } else if whole >= 60 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{whole} s")
    }
}
