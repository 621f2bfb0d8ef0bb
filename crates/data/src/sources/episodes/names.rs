//! Names of the streams of a recording of another format, in stable-worldmodel's layouts.

use std::collections::BTreeSet;
use std::path::Path;

use prevision_core::Array2;

use super::recording::is_name;
use crate::DataError;
use crate::convert::Recorded;

/// What `LeRobot` puts before the names of its streams.
const PREFIXES: [&str; 2] = ["observation.images.", "observation."];
/// Columns in which `LeRobot` counts, which these layouts have no need of.
pub(super) const COUNTS: [&str; 5] = ["timestamp", "frame_index", "episode_index", "index", "task_index"];

/// A stream's name without what `LeRobot` puts before it.
pub(super) fn short(name: &str) -> &str {
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// The columns by their short names, but for those in which `LeRobot` counts.
pub(super) fn own_columns<'a>(recorded: &'a Recorded) -> impl Iterator<Item = (&'a str, &'a Array2)> {
    let columns = recorded.columns.iter().filter(|(name, _)| !COUNTS.contains(&name.as_str()));
    columns.map(|(name, rows)| (short(name), rows))
}

/// Checks that the streams can be called so.
///
/// # Errors
/// If one cannot, or two are called the same.
pub(super) fn check_names(dir: &Path, recorded: &Recorded) -> Result<(), DataError> {
    let cameras = recorded.cameras.iter().map(|camera| short(&camera.name));
    let mut taken = BTreeSet::new();
    for name in cameras.chain(own_columns(recorded).map(|(name, _)| name)) {
        if !is_name(name) {
            let message = format!("a stream cannot be called `{name}`: its name becomes that of a file or folder");
            return Err(DataError::format(dir, message));
        }
        if !taken.insert(name) {
            return Err(DataError::format(dir, format!("two streams would be called `{name}`")));
        }
    }
    Ok(())
}
