//! The report of a run: one self-contained HTML page.
//!
//! The page needs no network and no script, fits a phone, and follows the reader's light or dark preference. It shows what
//! the run folder holds; parts that are missing are left out.

mod axes;
mod chart;
mod compared;
mod html;
mod learning;
mod levels;
mod measured;
mod page;
mod planned;
mod run;
mod searched;
mod videos;

use std::path::{Path, PathBuf};

use prevision_core::whole_file;

use crate::{EvalError, Suites};
use run::Run;

/// Writes `report.html` into a run folder and returns its path.
///
/// The results of `suites` are shown as these choose to; those of others by all their numbers.
///
/// Reads `config.toml`, `metrics.jsonl`, `summary.json`, `eval/*.json`, `plan/*.json`, `plan/traces/*.json`, `levels.json` and `videos/*.{mp4,gif}`, as far as
/// they are there. Videos are embedded, up to 32 MiB in all; where an mp4 and a GIF have the same name, the mp4 is.
///
/// # Errors
/// If the folder is missing, a file cannot be read or written, or a JSON file is damaged.
pub fn write(run: &Path, suites: &Suites) -> Result<PathBuf, EvalError> {
    let path = run.join("report.html");
    let html = page::page(&Run::read(run)?, suites);
    whole_file::write(&path, html).map_err(|source| EvalError::Io { path: path.clone(), source })?;
    Ok(path)
}
