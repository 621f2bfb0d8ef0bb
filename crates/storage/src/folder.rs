//! The user's folder for caches.

use std::path::PathBuf;

/// The user's folder for caches: `PREVISION_CACHE`, or `prevision` in `XDG_CACHE_HOME`, or in `~/.cache`. `None` if there is
/// none, or `PREVISION_CACHE` is empty, which turns caches off.
pub fn cache_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let folder = match variable("PREVISION_CACHE") {
        Some(folder) => Some(folder),
        None => variable("XDG_CACHE_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .map(|caches| caches.join("prevision")),
    };
    folder.filter(|folder| !folder.as_os_str().is_empty())
}
