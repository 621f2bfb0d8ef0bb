//! `labels.json`: what is known of each film of an array.

use serde::{Deserialize, Serialize};

use super::Film;

/// What `labels.json` says of a film; other keys are left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilmLabels {
    /// Its number in the array, from 0.
    pub i: usize,
    /// The sort of films it belongs to.
    pub block: String,
    /// The number of its quadruplet in the block.
    pub quad: usize,
    /// The version of its first half, such as 1 with an object and 0 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a: Option<i64>,
    /// The version of its second half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<i64>,
    /// Whether it could be so.
    pub possible: bool,
    /// Whether a lamp lights up in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lamp: Option<bool>,
}

impl From<&FilmLabels> for Film {
    fn from(labels: &FilmLabels) -> Self {
        let FilmLabels { i, block, quad, a, b, possible, .. } = labels;
        let kind = match (a, b) {
            (Some(a), Some(b)) => format!("{block} {a}-{b}"),
            _ => block.clone(),
        };
        Self { name: i.to_string(), group: format!("{block} {quad}"), kind, possible: *possible }
    }
}
