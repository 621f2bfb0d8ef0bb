//! The videos of a table, and the rows of each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::file::Keys;
use super::header::Header;
use super::options::{Align, Clock};
use crate::files::find_videos;

/// One episode: a video of each camera, and its rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TableEpisode {
    /// The cameras' files, in the order of the header.
    pub(super) files: Vec<PathBuf>,
    /// Its rows in the table, in the order of their places.
    pub(super) rows: Vec<usize>,
    /// The frame of each row, or its time, seconds from the first frame.
    pub(super) places: Vec<f64>,
    /// The number of each frame, or its time; empty until the videos have been looked into.
    pub(super) frames: Vec<f64>,
}

/// The episodes of a table, in the order in which it names them first.
///
/// # Errors
/// If a file is not there or belongs to two episodes or cameras, or the times of a video fall.
pub(super) fn episodes(
    folder: &Path,
    header: &Header,
    keys: &Keys,
    (align, clock): (Align, Option<Clock>),
) -> Result<Vec<TableEpisode>, String> {
    let (numbers, paths) = find_files(folder, keys)?;
    // The camera and the episode of each file.
    let mut owners: Vec<Option<(usize, usize)>> = vec![None; paths.len()];
    let mut episodes: Vec<TableEpisode> = Vec::new();
    for row in 0..keys.places.len() {
        let of_row = || keys.cameras.iter().map(|camera| numbers[camera[row] as usize]);
        let owner = of_row().next().and_then(|first| owners[first]);
        let number = owner.map_or(episodes.len(), |(_, episode)| episode);
        if owner.is_none() {
            let files = of_row().map(|file| paths[file].clone()).collect();
            episodes.push(TableEpisode { files, rows: vec![], places: vec![], frames: vec![] });
        }
        for (camera, file) in of_row().enumerate() {
            let known =
                if owner.is_none() { Some(*owners[file].get_or_insert((camera, number))) } else { owners[file] };
            if known != Some((camera, number)) {
                return Err(format!(
                    "{}: {} is the video of camera `{}` here, but rows before have other videos together",
                    keys.told(row),
                    paths[file].display(),
                    header.cameras[camera].0,
                ));
            }
        }
        episodes[number].rows.push(row);
    }
    for episode in &mut episodes {
        match align {
            Align::Frame => episode.rows.sort_by(|one, other| keys.places[*one].total_cmp(&keys.places[*other])),
            Align::Time => rising(episode, keys)?,
        }
        episode.places = episode.rows.iter().map(|&row| keys.places[row] - zero(episode, keys, clock, row)).collect();
    }
    Ok(episodes)
}

/// The time of an episode's first frame by the clock of a row.
fn zero(episode: &TableEpisode, keys: &Keys, clock: Option<Clock>, row: usize) -> f64 {
    match (keys.starts.get(row), clock) {
        (Some(start), _) => *start,
        (None, Some(Clock::Absolute)) => keys.places[episode.rows[0]],
        (None, _) => 0.0,
    }
}

/// Checks that the times of an episode never fall.
fn rising(episode: &TableEpisode, keys: &Keys) -> Result<(), String> {
    match episode.rows.windows(2).find(|pair| keys.places[pair[1]] < keys.places[pair[0]]) {
        Some(&[before, row]) => Err(format!(
            "{}: the time falls from {} to {} in the rows of {}",
            keys.told(row),
            keys.places[before],
            keys.places[row],
            episode.files[0].display()
        )),
        _ => Ok(()),
    }
}

/// The number of the file that each name stands for, and the files. One file may be named in several ways.
fn find_files(folder: &Path, keys: &Keys) -> Result<(Vec<usize>, Vec<PathBuf>), String> {
    // Listed when a name is met that is no path.
    let mut below: Option<Vec<PathBuf>> = None;
    let (mut numbers, mut paths, mut known) = (Vec::new(), Vec::new(), HashMap::new());
    for (name, row) in &keys.files {
        let path = folder.join(name);
        let path = if path.is_file() {
            path
        } else {
            let below = below.get_or_insert_with(|| {
                find_videos(folder).map_or(vec![], |found| found.into_iter().map(|entry| entry.path).collect())
            });
            let mut found = below.iter().filter(|file| file.file_name().is_some_and(|file| file == name.as_str()));
            match (found.next(), found.next()) {
                (Some(file), None) => file.clone(),
                (Some(one), Some(other)) => {
                    let (one, other) = (one.display(), other.display());
                    return Err(format!("{}: {name} may be {one} or {other}, expected a path", keys.told(*row)));
                }
                (None, _) => return Err(format!("{}: there is no video {}", keys.told(*row), path.display())),
            }
        };
        let same = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let number = *known.entry(same).or_insert(paths.len());
        if number == paths.len() {
            paths.push(path);
        }
        numbers.push(number);
    }
    Ok((numbers, paths))
}
