//! Folders that one process at a time works in.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// A folder that no other process works in until this value is dropped, or the process ends however it may.
#[derive(Debug)]
pub struct FolderLock {
    _folder: Option<File>,
}

/// Locks a folder that is there; `None` if another process, or another part of this one, has locked it. Nothing is written. Where the
/// system has no locks for folders (some network file systems), the folder counts as locked by the caller.
///
/// # Errors
/// If the folder cannot be opened.
pub fn try_lock(folder: &Path) -> io::Result<Option<FolderLock>> {
    let file = File::open(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FolderLock { _folder: Some(file) })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(_)) => Ok(Some(FolderLock { _folder: None })),
    }
}

#[cfg(test)]
mod tests {
    use super::try_lock;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let lock = try_lock(folder.path()).unwrap().expect("free");
        assert!(try_lock(folder.path()).unwrap().is_none());
        drop(lock);
        assert!(try_lock(folder.path()).unwrap().is_some());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(try_lock(&folder.path().join("missing")).is_err());
    }
}
