//! One recorded episode, in memory.

use std::collections::BTreeMap;

use prevision_core::{Array2, Observations};

/// One recorded episode.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// What the cameras and sensors saw, one row or frame for each moment.
    pub observations: Observations,
    /// What else was recorded, by name, one row for each moment: `action` as a recording stores it
    /// ([`Space::stored_width`](prevision_core::Space::stored_width); row `t` leaves moment `t`, the last row is NaN), `state`, ...
    pub columns: BTreeMap<String, Array2>,
}
