//! Results: a table for people on standard output, or JSON for programs.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use prevision_core::whole_file;
use rustix::fs::Access;
use serde::Serialize;

/// Where results go.
#[derive(Args)]
pub struct Output {
    /// Write the results as JSON to this file; - for standard output
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(Place::new))]
    json: Option<Place>,
}

/// Where JSON goes.
#[derive(Clone, Debug)]
enum Place {
    Stdout,
    /// A file, written whole or not at all.
    File(PathBuf),
    /// A device or a pipe.
    Stream(PathBuf),
}

impl Place {
    /// Says at once that a place cannot be written, before work is spent on what would be written there.
    fn new(path: PathBuf) -> Result<Self, String> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        match path.metadata() {
            Ok(found) if found.is_dir() => Err("it is a folder".to_owned()),
            Ok(found) if !found.is_file() => Ok(Self::Stream(path)),
            // A link stays, and what it leads to is written.
            Ok(_) => {
                let path = path.canonicalize().map_err(|error| error.to_string())?;
                writable(&path).map(|()| Self::File(path))
            }
            Err(_) => writable(&path).map(|()| Self::File(path)),
        }
    }
}

impl Output {
    /// Prints `table`, and writes `results` where they were asked for.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn give(&self, results: &impl Serialize, table: &str) -> Result<()> {
        match &self.json {
            Some(Place::Stdout) => return say(&serde_json::to_string_pretty(results)?),
            Some(Place::File(path)) => write(path, &serde_json::to_vec_pretty(results)?)?,
            Some(Place::Stream(path)) => match stream(path, &serde_json::to_vec_pretty(results)?) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    return Err(error).with_context(|| format!("{}: cannot be written", path.display()));
                }
                _ => {}
            },
            None => {}
        }
        say(table)
    }
}

/// Writes to a device or a pipe, as it is.
fn stream(path: &Path, json: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    file.write_all(json)?;
    file.write_all(b"\n")
}

/// Prints lines on standard output; a reader that has gone away is no error.
pub(crate) fn say(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

/// Whether a file can be written, with the folders it is in: the nearest one that is there must be one that can be written to.
fn writable(path: &Path) -> Result<(), String> {
    let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
    if absolute.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err("it names no file".to_owned());
    }
    let there = absolute.ancestors().skip(1).find(|folder| folder.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    if !there.is_dir() {
        return Err(format!("{} is no folder", there.display()));
    }
    rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| format!("{} cannot be written to: {}", there.display(), std::io::Error::from(error)))
}

/// Says at once that a file cannot be written, before work is spent on what would be written there.
pub(crate) fn check_writable(path: &Path) -> Result<()> {
    writable(path).map_err(|message| anyhow::anyhow!("{}: cannot be written: {message}", path.display()))
}

/// Writes a file, whole or not at all, and the folders it is in.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folders = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folders
        .and_then(|()| whole_file::write(path, bytes))
        .with_context(|| format!("{}: cannot be written", path.display()))
}
