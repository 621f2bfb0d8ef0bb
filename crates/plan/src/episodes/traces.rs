//! The searches of watched episodes, for a report to draw.

use prevision_env::{SearchIteration, Worlds};
use serde::Serialize;

use super::watch::{Moment, Watch, WatchError};

/// Keeps how the plans of watched episodes were searched for; serialised, it is `plan/traces/*.json` of a run folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Traces {
    /// Every plan of every watched episode, in the order in which they were made.
    pub plans: Vec<PlanTrace>,
    /// Steps taken by the episodes that are running.
    #[serde(skip)]
    step: usize,
}

/// How the search for one plan went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanTrace {
    /// Number of the episode.
    pub episode: usize,
    /// After how many steps of the world the plan was made.
    pub step: usize,
    /// Whether a deadline ended the search before its last iteration.
    pub cut_short: bool,
    /// What every iteration came to, in order.
    pub iterations: Vec<SearchIteration>,
}

impl Watch for Traces {
    fn progress(&mut self, progress: &super::PlanProgress) {
        self.step = progress.step;
    }

    fn moment(&mut self, _: &dyn Worlds, moment: &Moment<'_>) -> Result<(), WatchError> {
        if let Some(search) = moment.decision.and_then(|decision| decision.search.as_ref()) {
            self.plans.push(PlanTrace {
                episode: moment.episode,
                step: self.step,
                cut_short: search.cut_short,
                iterations: search.iterations.clone(),
            });
        }
        Ok(())
    }
}
