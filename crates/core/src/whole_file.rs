//! Files that appear whole or not at all: written under another name in the same folder, then renamed.

use std::ffi::OsString;
use std::fs;
use std::io;
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

#[cfg(test)]
mod tests {
    use super::*;

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
