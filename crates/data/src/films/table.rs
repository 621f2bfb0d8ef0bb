//! Films in video files, listed in a table.

use std::path::Path;

use csv::StringRecord;

use super::{Film, Frames};
use crate::DataError;

/// Reads a table; every file must be there.
pub(super) fn read(path: &Path) -> Result<(Vec<Film>, Frames), DataError> {
    let text = std::fs::read(path).map_err(|error| DataError::io(path, error))?;
    let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_slice());
    let bad = |error: csv::Error| DataError::format(path, format!("not a CSV table: {error}"));
    let heads = table.headers().map_err(bad)?.clone();
    let place = |name: &str| heads.iter().position(|head| head.trim_start_matches('\u{feff}') == name);
    let needed = |name: &str| {
        place(name).ok_or_else(|| {
            let heads: Vec<&str> = heads.iter().collect();
            let message =
                format!("has no column {name}, expected path, group, possible; columns: {}", heads.join(", "));
            DataError::format(path, message)
        })
    };
    let (file, group, possible, kind) = (needed("path")?, needed("group")?, needed("possible")?, place("kind"));
    let folder = path.parent().unwrap_or(Path::new(""));
    let (mut films, mut files) = (Vec::new(), Vec::new());
    for row in table.records() {
        let row: StringRecord = row.map_err(bad)?;
        let line = row.position().map_or(0, |position| position.line() as usize);
        let wrong = |message: String| DataError::Manifest { path: path.to_owned(), line, message };
        let cell = |column: usize| row.get(column).unwrap_or_default();
        let possible = match cell(possible).to_ascii_lowercase().as_str() {
            "true" | "1" | "possible" => true,
            "false" | "0" | "impossible" => false,
            other => return Err(wrong(format!("possible is `{other}`, expected true or false"))),
        };
        let name = cell(file).to_owned();
        let video = folder.join(&name);
        if !video.is_file() {
            return Err(wrong(format!("there is no file {}", video.display())));
        }
        let group = cell(group).to_owned();
        if group.is_empty() {
            return Err(wrong("group is empty, expected the name that matched films share".to_owned()));
        }
        let kind = kind.map(cell).filter(|kind| !kind.is_empty()).unwrap_or("film").to_owned();
        films.push(Film { name, group, kind, possible });
        files.push(video);
    }
    Ok((films, Frames::Files(files)))
}
