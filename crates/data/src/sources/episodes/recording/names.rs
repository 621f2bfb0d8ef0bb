//! Names of streams that come from `LeRobot`, in layouts that have no need of its prefixes.

/// What `LeRobot` puts before the names of its streams.
const PREFIXES: [&str; 2] = ["observation.images.", "observation."];
/// Columns in which `LeRobot` counts.
const COUNTS: [&str; 5] = ["timestamp", "frame_index", "episode_index", "index", "task_index"];

/// A stream's name without what `LeRobot` puts before it.
pub(in crate::sources::episodes) fn short(name: &str) -> &str {
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// Whether a column only counts, and is left out.
pub(in crate::sources::episodes) fn is_counted(name: &str) -> bool {
    COUNTS.contains(&name)
}
