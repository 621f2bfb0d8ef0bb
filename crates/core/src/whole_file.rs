//! Files that appear whole or not at all: written under another name in the same folder, then renamed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A name beside `path` that no other thread or process uses.
pub fn partial(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{}.partial", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

/// Whether a file's name is one that [`partial`] gives: what a process that was ended in the middle has left.
pub fn is_partial(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b".") && name.ends_with(b".partial")
}

/// Writes a file.
///
/// # Errors
/// If it cannot be written; what was there before is then still there, and nothing else.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    write_with(path, |partial| fs::write(partial, bytes))
}

/// As [`write`](fn@write), by a function that is told the name to write to.
///
/// # Errors
/// The function's, or that of the renaming; what was there before is then still there, and nothing else.
pub fn write_with(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let partial = partial(path);
    let written = write(&partial).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// A file that is written piece by piece. Until [`keep`](Self::keep) it has another name, under which it is removed when it is dropped.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    kept: bool,
}

impl WholeFile {
    /// Begins a file; its folder must be there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let partial = partial(path);
        let file = File::create_new(&partial)?;
        Ok(Self { path: path.to_owned(), partial, file, kept: false })
    }

    /// Puts the file in its place, flushed to the disk.
    ///
    /// # Errors
    /// If it cannot be flushed or renamed; what was there before is then still there.
    pub fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.partial, &self.path)?;
        self.kept = true;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody is left to be told.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_kept_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let begin = |text: &[u8]| {
            let mut file = WholeFile::create(&path).unwrap();
            file.write_all(text).unwrap();
            file
        };
        begin(b"1").keep().unwrap();
        drop(begin(b"half"));
        assert_eq!(fs::read(&path).unwrap(), b"1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        begin(b"2").keep().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"2");
        assert!(WholeFile::create(&folder.path().join("none/rows")).is_err());
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers");
        write(&path, "1").unwrap();
        let failed = write_with(&path, |partial| {
            assert!(is_partial(partial) && !is_partial(&path));
            fs::write(partial, "half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read(&path).unwrap(), b"1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write(&path, "2").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"2");
    }
}
