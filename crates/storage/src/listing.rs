//! Folders and whole objects.

use std::path::{Path, PathBuf};

use crate::client::Remote;
use crate::{Late, Object, StorageError, can_be_listed};

/// The largest object that [`read`] takes into memory.
const READ_AT_MOST: u64 = 1 << 30;

/// The addresses of all objects below `s3://bucket/prefix/`, at any depth, sorted as paths; hidden ones (a part of the name
/// below the prefix begins with a dot) are left out. Empty if there is none.
///
/// # Errors
/// If the storage cannot be asked, or the address is not one that can be listed.
pub fn list(address: &Path, late: Late) -> Result<Vec<PathBuf>, StorageError> {
    if !can_be_listed(address) {
        let reason = "what is below it cannot be listed over HTTP; give a manifest or a video".to_owned();
        return Err(StorageError::Address { address: address.to_owned(), reason });
    }
    let keys = Remote::new(address)?.list(late)?;
    let hidden = |key: &String| key.split('/').any(|part| part.starts_with('.'));
    let mut found: Vec<_> =
        keys.iter().filter(|key| !key.is_empty() && !hidden(key)).map(|key| address.join(key)).collect();
    found.sort();
    Ok(found)
}

/// The bytes of a whole object, such as a manifest.
///
/// # Errors
/// If it cannot be read, or has more than 1 GiB.
pub fn read(address: &Path, late: Late) -> Result<Vec<u8>, StorageError> {
    let object = Object::open(address, late)?;
    let bytes = object.version().bytes;
    if bytes > READ_AT_MOST {
        let reason = format!("it has {bytes} bytes, expected a list of at most {READ_AT_MOST}");
        return Err(StorageError::Address { address: address.to_owned(), reason });
    }
    let mut out = vec![0; usize::try_from(bytes).unwrap_or(0)];
    let (mut reader, mut done) = (object.reader(), 0);
    while done < out.len() {
        done += reader.read(&mut out[done..], late)?;
    }
    Ok(out)
}
