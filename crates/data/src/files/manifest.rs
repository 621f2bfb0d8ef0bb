//! Lists of video files: a folder, or a manifest.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use prevision_storage::{after, can_be_listed, is_address};

use super::content::{self, PATIENCE};
use crate::DataError;

/// File name extensions that are taken for videos in a folder, in lower case.
pub const VIDEO_EXTENSIONS: [&str; 27] = [
    "3gp", "asf", "avi", "divx", "f4v", "flv", "gif", "h264", "h265", "hevc", "m2ts", "m4v", "mkv", "mov", "mp4",
    "mpeg", "mpg", "mts", "mxf", "ogg", "ogv", "rm", "ts", "vob", "webm", "wmv", "y4m",
];

/// A video file and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoEntry {
    /// The file.
    pub path: PathBuf,
    /// Its class, if a manifest gives one.
    pub label: Option<i64>,
}

/// Lists the videos of a folder, of a manifest, or one video file itself. No video is opened.
///
/// A folder is searched with all its sub-folders, following links, in sorted order, for [`VIDEO_EXTENSIONS`]; hidden files
/// and folders are left out. Any other file is a manifest: each line a path, relative to the manifest, and optionally an
/// integer label, with spaces, a tab or a comma between the two. A path with spaces or commas stands in single or double quotes, unless
/// what follows its last comma is no number. Empty lines and what follows a `#` at the start of a
/// line or after the entry are ignored.
///
/// All three may also be in storage, by their address (`s3://bucket/prefix`), and so may be the videos that a manifest names;
/// those are not looked for before they are read.
///
/// # Errors
/// If the path does not exist, holds no video, or a line of the manifest cannot be read or names a file that is not there.
pub fn find_videos(path: &Path) -> Result<Vec<VideoEntry>, DataError> {
    let entry = |path| VideoEntry { path, label: None };
    let (is_folder, mut files) = if is_address(path) { list_storage(path)? } else { list_folder(path)? };
    files.sort();
    let entries = if is_folder {
        files.into_iter().map(entry).collect()
    } else if is_video(path) {
        vec![entry(path.into())]
    } else {
        read_manifest(path)?
    };
    if entries.is_empty() {
        let message = if is_folder {
            format!("no video in this folder or below it; looked for files ending in {}", VIDEO_EXTENSIONS.join(", "))
        } else {
            "no video in this manifest; expected a path and, optionally, a label on each line".into()
        };
        return Err(DataError::Empty { path: path.into(), message });
    }
    Ok(entries)
}

/// Whether its extension says so.
pub(crate) fn is_video(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| VIDEO_EXTENSIONS.contains(&extension.as_str()))
}

/// Whether it is a folder, and the videos in it.
fn list_folder(path: &Path) -> Result<(bool, Vec<PathBuf>), DataError> {
    let is_folder = std::fs::metadata(path).map_err(|error| DataError::io(path, error))?.is_dir();
    let mut files = vec![];
    if is_folder {
        search(path, &mut HashSet::new(), &mut files)?;
    }
    Ok((is_folder, files))
}

/// The same for an address: in storage a folder is what something is below.
fn list_storage(address: &Path) -> Result<(bool, Vec<PathBuf>), DataError> {
    if is_video(address) || !can_be_listed(address) {
        return Ok((false, vec![]));
    }
    let mut files = prevision_storage::list(address, &after(PATIENCE))?;
    let is_folder = !files.is_empty();
    files.retain(|file| is_video(file));
    Ok((is_folder, files))
}

fn search(folder: &Path, seen: &mut HashSet<PathBuf>, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    // A link to a folder above would otherwise be followed for ever.
    if !seen.insert(folder.canonicalize().map_err(|error| DataError::io(folder, error))?) {
        return Ok(());
    }
    let mut paths = vec![];
    for entry in std::fs::read_dir(folder).map_err(|error| DataError::io(folder, error))? {
        paths.push(entry.map_err(|error| DataError::io(folder, error))?.path());
    }
    paths.sort();
    for path in paths {
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        if path.is_dir() {
            search(&path, seen, files)?;
        } else if is_video(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn read_manifest(path: &Path) -> Result<Vec<VideoEntry>, DataError> {
    let text = String::from_utf8(content::read(path)?).map_err(|_| {
        DataError::format(path, "is neither a folder, nor a video by its extension, nor a manifest in UTF-8 text")
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut entries = vec![];
    for (number, line) in text.lines().enumerate() {
        let wrong = |message: String| DataError::Manifest { path: path.into(), line: number + 1, message };
        let Some((name, label)) = parse_line(line).map_err(wrong)? else {
            continue;
        };
        let file = if is_address(Path::new(name)) { PathBuf::from(name) } else { folder.join(name) };
        if is_address(path) && !is_address(&file) {
            return Err(wrong(format!(
                "{name} is a file of this machine, expected an address or a name beside the manifest"
            )));
        }
        if !is_address(&file) && !file.is_file() {
            let hint = if name.contains(',') { "; a label is an integer after a space, a tab or a comma" } else { "" };
            return Err(wrong(format!("there is no file {}{hint}", file.display())));
        }
        entries.push(VideoEntry { path: file, label });
    }
    Ok(entries)
}

/// Path and label of a line, `None` for an empty line or a comment.
fn parse_line(line: &str) -> Result<Option<(&str, Option<i64>)>, String> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (path, rest) = if let Some(quote) = line.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let (path, rest) =
            line[1..].split_once(quote).ok_or_else(|| format!("the closing {quote} is missing: {line}"))?;
        if !rest.is_empty() && !rest.starts_with(|next: char| next == ',' || next.is_whitespace()) {
            return Err(format!("expected a space or a comma after the closing {quote}: {line}"));
        }
        (path, rest.trim_start().strip_prefix(',').unwrap_or(rest))
    } else {
        split_label(line)
    };
    if path.is_empty() {
        return Err("the path is empty".into());
    }
    let label = match rest.trim() {
        rest if rest.is_empty() || rest.starts_with('#') => None,
        rest => {
            let value = rest.split_once(" #").map_or(rest, |(value, _)| value.trim());
            let label = value.parse().map_err(|_| {
                format!(
                    "expected an integer label after the path {path}, found `{value}`; a path with spaces needs quotes"
                )
            })?;
            Some(label)
        }
    };
    Ok(Some((path, label)))
}

/// Where a path without quotes ends: at its first space or tab, or at a comma before its label.
fn split_label(line: &str) -> (&str, &str) {
    let (path, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let is_label = |text: &str| text.parse::<i64>().is_ok();
    match path.rsplit_once(',') {
        Some((path, "")) if !rest.is_empty() => (path, rest),
        Some((path, label)) if is_label(label) && (rest.is_empty() || rest.trim_start().starts_with('#')) => {
            (path, label)
        }
        _ => (path, rest.trim_start().strip_prefix(',').unwrap_or(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, expected) in [
            ("", None),
            ("   # a comment", None),
            ("a.mp4", Some(("a.mp4", None))),
            ("  a.mp4\t-3 ", Some(("a.mp4", Some(-3)))),
            ("\u{feff}a.mp4 3\r", Some(("a.mp4", Some(3)))),
            ("\"my clips/a b.mp4\" 12", Some(("my clips/a b.mp4", Some(12)))),
            ("'it is \"quoted\".mp4'", Some(("it is \"quoted\".mp4", None))),
            ("a#1.mp4 4 # four", Some(("a#1.mp4", Some(4)))),
            ("a.mp4 # no label", Some(("a.mp4", None))),
            ("a.mp4,0", Some(("a.mp4", Some(0)))),
            ("a.mp4, 3", Some(("a.mp4", Some(3)))),
            ("a.mp4 ,3", Some(("a.mp4", Some(3)))),
            ("take,2.mp4", Some(("take,2.mp4", None))),
            ("take,2.mp4 5", Some(("take,2.mp4", Some(5)))),
            ("take,2.mp4,5", Some(("take,2.mp4", Some(5)))),
            ("'a b.mp4',-1", Some(("a b.mp4", Some(-1)))),
        ] {
            assert_eq!(parse_line(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn bad_lines_say_why() {
        assert!(parse_line("my clips/a b.mp4 12").unwrap_err().contains("needs quotes"));
        assert!(parse_line("\"a.mp4 12").unwrap_err().contains("closing \" is missing"));
        assert!(parse_line("\"a\"b 12").unwrap_err().contains("a space or a comma after"));
        assert!(parse_line("a.mp4 1.5").unwrap_err().contains("found `1.5`"));
        assert!(parse_line("\"\" 1").unwrap_err().contains("empty"));
    }

    #[test]
    fn folders_are_searched_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.MP4", "a/z.mkv", "a/b/c.webm", ".hidden/x.mp4", "._b.mp4", "notes.txt", "a b.avi"] {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        let found: Vec<_> = find_videos(folder.path())
            .unwrap()
            .into_iter()
            .map(|entry| entry.path.strip_prefix(folder.path()).unwrap().to_owned())
            .collect();
        assert_eq!(found, ["a/b/c.webm", "a/z.mkv", "a b.avi", "b.MP4"].map(PathBuf::from));
    }

    #[test]
    fn a_manifest_is_relative_to_itself() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a b.mp4"), "").unwrap();
        let manifest = folder.path().join("train.txt");
        std::fs::write(&manifest, "# clips\n'a b.mp4' 7\n").unwrap();
        assert_eq!(
            find_videos(&manifest).unwrap(),
            [VideoEntry { path: folder.path().join("a b.mp4"), label: Some(7) }]
        );
        std::fs::write(&manifest, "\n'a b.mp4' 7\ngone.mp4 1\n").unwrap();
        let message = find_videos(&manifest).unwrap_err().to_string();
        assert!(message.contains("train.txt, line 3: there is no file") && message.contains("gone.mp4"), "{message}");
    }

    #[test]
    fn nothing_there() {
        let folder = tempfile::tempdir().unwrap();
        assert!(find_videos(folder.path()).unwrap_err().to_string().contains("no video in this folder"));
        assert!(find_videos(&folder.path().join("missing")).unwrap_err().to_string().contains("missing: "));
        let manifest = folder.path().join("list.txt");
        std::fs::write(&manifest, "# nothing\n").unwrap();
        assert!(find_videos(&manifest).unwrap_err().to_string().contains("no video in this manifest"));
    }
}
