//! How the search for a plan went.

use serde::Serialize;

/// How the search for one plan went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// Whether a deadline ended it before its last iteration.
    pub cut_short: bool,
    /// What every iteration came to, in order.
    pub iterations: Vec<SearchIteration>,
}

/// What one iteration of a search came to. Numbers that are not finite become `null` in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct SearchIteration {
    /// The cost of the best candidate of the iteration; of those that violate no constraint, if there are any.
    pub best: f32,
    /// The mean cost of the candidates that the next iteration starts from.
    pub elites: f32,
    /// The standard deviation of what is searched around after the iteration, in the unit of actions; the mean over all numbers of
    /// a sequence.
    pub spread: f32,
}
