//! Where a path leads.

use std::path::{Path, PathBuf};

use crate::DataError;

/// Whether a path, of which not all need be there yet, leads into a folder that is there, or is that folder. Links are followed.
///
/// # Errors
/// If that cannot be found out.
pub(crate) fn leads_into(path: &Path, folder: &Path) -> Result<bool, DataError> {
    let folder = resolved(folder)?;
    Ok(folder.is_dir() && resolved(path)?.starts_with(folder))
}

/// The path without links, as far as it is there.
fn resolved(path: &Path) -> Result<PathBuf, DataError> {
    let absolute = std::path::absolute(path).map_err(|error| DataError::io(path, error))?;
    for there in absolute.ancestors() {
        if let (Ok(real), Ok(rest)) = (there.canonicalize(), absolute.strip_prefix(there)) {
            return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    Ok(absolute)
}

#[cfg(test)]
mod tests {
    use super::leads_into;

    #[test]
    fn links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("clips/more")).unwrap();
        std::os::unix::fs::symlink(at("clips"), at("link")).unwrap();
        for (path, within) in [
            ("clips", true),
            ("clips/more/new/one", true),
            ("link/new", true),
            ("clips2", false),
            ("new", false),
            ("link/../new", false),
        ] {
            assert_eq!(leads_into(&at(path), &at("clips")).unwrap(), within, "{path}");
            assert_eq!(leads_into(&at(path), &at("link")).unwrap(), within, "{path}");
        }
        assert!(!leads_into(&at("new/one"), &at("new")).unwrap(), "no folder");
    }
}
