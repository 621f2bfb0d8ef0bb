//! Damaged files that once went wrong, or come from the corners of the formats. Each is small, and was made from films of this
//! repository's own making.

use std::path::Path;

#[test]
fn known_cases_end_in_frames_or_in_an_error() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"));
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no case in {}", folder.display());
    for file in files {
        crate::torture::check(&file);
    }
}
