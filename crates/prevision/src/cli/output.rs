//! Results: a table for people on standard output, or JSON for programs.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use prevision_core::whole_file;
use serde::Serialize;

/// Where results go.
#[derive(Args)]
pub struct Output {
    /// Write the results as JSON to this file; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Output {
    /// Prints `table`, and writes `results` where they were asked for.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn give(&self, results: &impl Serialize, table: &str) -> Result<()> {
        match self.json.as_deref() {
            Some(path) if path == Path::new("-") => say(&serde_json::to_string_pretty(results)?),
            Some(path) => {
                write(path, &serde_json::to_vec_pretty(results)?)?;
                say(table)
            }
            None => say(table),
        }
    }
}

/// Prints lines on standard output; a reader that has gone away is no error.
pub(crate) fn say(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

/// Says at once that a file cannot be written, before work is spent on what would be written there.
pub(crate) fn check_writable(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        anyhow::bail!("{}: cannot be written: there is no folder {}", path.display(), folder.display());
    }
    Ok(())
}

/// Writes a file, whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    whole_file::write(path, bytes).with_context(|| format!("{}: cannot be written", path.display()))
}
