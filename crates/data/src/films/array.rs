//! Films in one array, with their labels beside it.

use std::cell::Cell;
use std::path::Path;

use prevision_core::whole_file;

use super::{Film, FilmLabels, Frames};
use crate::{DataError, npz};

const FILMS: &str = "films.npz";
const LABELS: &str = "labels.json";
const MEMBER: &str = "films.npy";

/// Reads the films of a folder.
pub(super) fn read(folder: &Path) -> Result<(Vec<Film>, Frames), DataError> {
    let path = folder.join(LABELS);
    let bytes = std::fs::read(&path).map_err(|error| DataError::io(&path, error))?;
    let labels: Vec<FilmLabels> = serde_json::from_slice(&bytes).map_err(|error| {
        DataError::format(&path, format!("{error}; expected a list of objects with i, block, quad and possible"))
    })?;
    let array_path = folder.join(FILMS);
    let mut shape = [0; 5];
    let wrong = Cell::new(None);
    let byte = |value: f64| {
        if !(0.0..=255.0).contains(&value) || value.fract() != 0.0 {
            wrong.set(Some(value));
        }
        value as u8
    };
    let array = npz::read_member(
        &array_path,
        MEMBER,
        |found| {
            shape = five(found)?;
            Ok(shape[0])
        },
        byte,
    )?;
    if let Some(value) = wrong.get() {
        return Err(DataError::format(
            &array_path,
            format!("{MEMBER} has a pixel of {value}, expected 0 to 255 (uint8)"),
        ));
    }
    if labels.len() != shape[0] {
        let message = format!("labels of {} films, {FILMS} has {}", labels.len(), shape[0]);
        return Err(DataError::format(&path, message));
    }
    let mut films: Vec<Option<Film>> = vec![None; labels.len()];
    for labels in &labels {
        let Some(place @ None) = films.get_mut(labels.i) else {
            let message = format!("film i = {} is beyond the last one or there twice", labels.i);
            return Err(DataError::format(&path, message));
        };
        *place = Some(labels.into());
    }
    Ok((films.into_iter().flatten().collect(), Frames::Array { pixels: array.data, shape }))
}

/// `[films, frames, height, width, channels]`, of gray frames too.
fn five(shape: &[usize]) -> Result<[usize; 5], String> {
    match *shape {
        [films, frames, height, width] if frames * height * width > 0 => Ok([films, frames, height, width, 1]),
        [films, frames, height, width, 3] if frames * height * width > 0 => Ok([films, frames, height, width, 3]),
        _ => Err(format!(
            "{MEMBER} has the shape {shape:?}, expected [films, frames, height, width] or [films, frames, height, width, 3]"
        )),
    }
}

/// Writes gray films, `[films, frames, height, width]`, and their labels into a folder.
pub(crate) fn write_films(
    folder: &Path,
    shape: [usize; 4],
    pixels: &[u8],
    labels: &[FilmLabels],
) -> Result<(), DataError> {
    let io = |error| DataError::io(folder, error);
    std::fs::create_dir_all(folder).map_err(io)?;
    if std::fs::read_dir(folder).map_err(io)?.next().is_some() {
        return Err(DataError::format(folder, "is not empty; choose another folder or remove it"));
    }
    npz::write_deflated(&folder.join(FILMS), MEMBER, &shape, pixels)?;
    let path = folder.join(LABELS);
    let text = serde_json::to_vec_pretty(labels).map_err(|error| DataError::format(&path, error.to_string()))?;
    whole_file::write(&path, text).map_err(|error| DataError::io(&path, error))
}
