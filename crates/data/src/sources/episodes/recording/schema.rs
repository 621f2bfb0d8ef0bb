//! What all episodes of a recording have in common.

use std::collections::BTreeMap;

use prevision_core::{Camera, Observations, Spaces};

use super::layout::is_name;
use crate::Episode;

/// The streams of a recording, and its columns once an episode has shown them.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    spaces: Spaces,
    columns: Option<Vec<(String, usize)>>,
}

impl Schema {
    /// A schema of these streams.
    ///
    /// # Errors
    /// If one cannot be called so, or two have the same name.
    pub(super) fn new(spaces: &Spaces) -> Result<Self, String> {
        let names = spaces.cameras.keys().chain(spaces.vectors.keys());
        if let Some(name) = names.clone().find(|name| !is_name(name)) {
            return Err(format!("a stream cannot be called `{name}`: its name becomes that of a file or folder"));
        }
        if let Some(name) = spaces.cameras.keys().find(|name| spaces.vectors.contains_key(*name)) {
            return Err(format!("a camera and a vector stream are both called `{name}`"));
        }
        if names.count() == 0 {
            return Err("there is no camera and no vector stream to record".to_owned());
        }
        Ok(Self { spaces: spaces.clone(), columns: None })
    }

    /// Checks an episode; the first one decides about the columns.
    ///
    /// # Errors
    /// What does not fit.
    pub(super) fn accept(&mut self, episode: &Episode) -> Result<(), String> {
        self.check_streams(&episode.observations)?;
        let moments = episode.observations.moments();
        for (name, column) in &episode.columns {
            let taken = self.spaces.cameras.contains_key(name) || self.spaces.vectors.contains_key(name);
            if taken || !is_name(name) {
                return Err(format!("a column cannot be called `{name}`"));
            }
            if column.rows != moments {
                return Err(format!("column `{name}` has {} rows for {moments} moments", column.rows));
            }
        }
        check_width(episode, "action", self.spaces.action.as_ref().map(prevision_core::Space::stored_width))?;
        check_width(episode, "state", self.spaces.state)?;
        let own: Vec<_> = episode.columns.iter().map(|(name, column)| (name.clone(), column.columns)).collect();
        let known = self.columns.get_or_insert_with(|| own.clone());
        if *known == own {
            return Ok(());
        }
        Err(format!("has the columns {}, the episodes before it have {}", describe(&own), describe(known)))
    }

    fn check_streams(&self, observations: &Observations) -> Result<(), String> {
        let Observations { cameras, vectors } = observations;
        let found = Spaces {
            cameras: cameras
                .iter()
                .map(|(name, frames)| (name.clone(), Camera { height: frames.height, width: frames.width }))
                .collect(),
            vectors: vectors.iter().map(|(name, rows)| (name.clone(), rows.columns)).collect(),
            ..Spaces::default()
        };
        if (&found.cameras, &found.vectors) != (&self.spaces.cameras, &self.spaces.vectors) {
            return Err(format!("has {}, the recording is of {}", found.streams(), self.spaces.streams()));
        }
        let moments = observations.moments();
        if moments == 0 {
            return Err("has no moments".to_owned());
        }
        let counts: BTreeMap<&String, usize> = cameras
            .iter()
            .map(|(name, frames)| (name, frames.frames))
            .chain(vectors.iter().map(|(name, rows)| (name, rows.rows)))
            .collect();
        match counts.into_iter().find(|(_, count)| *count != moments) {
            Some((name, count)) => Err(format!("stream `{name}` has {count} moments, others have {moments}")),
            None => Ok(()),
        }
    }
}

/// A column whose width the spaces tell must be there with that width.
fn check_width(episode: &Episode, name: &str, width: Option<usize>) -> Result<(), String> {
    let found = episode.columns.get(name).map(|column| column.columns);
    match (width, found) {
        (Some(width), Some(found)) if width != found => {
            Err(format!("column `{name}` has {found} numbers in a row, the recording's spaces say {width}"))
        }
        (Some(width), None) => {
            Err(format!("has no column `{name}`, the recording's spaces say {width} numbers in a row"))
        }
        _ => Ok(()),
    }
}

/// `action[2], state[4]`
fn describe(columns: &[(String, usize)]) -> String {
    columns.iter().map(|(name, width)| format!("{name}[{width}]")).collect::<Vec<_>>().join(", ")
}
