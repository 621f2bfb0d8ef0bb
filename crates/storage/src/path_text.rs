//! Paths in results: text for programs and people, bytes where the same file has to be found again. For `#[serde(with = "path_text")]`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize as _, Deserializer, Serializer};

/// As text in formats of text, what is not UTF-8 in it replaced (U+FFFD); as its bytes in others.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&path.to_string_lossy())
    } else {
        serializer.serialize_bytes(path.as_os_str().as_bytes())
    }
}

/// What [`serialize`] wrote.
///
/// # Errors
/// The deserializer's.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    if deserializer.is_human_readable() {
        return String::deserialize(deserializer).map(PathBuf::from);
    }
    Vec::deserialize(deserializer).map(|bytes| OsString::from_vec(bytes).into())
}
