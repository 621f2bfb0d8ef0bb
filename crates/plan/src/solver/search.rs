//! A search while it runs: how long it may go on, and what each of its iterations came to.

use std::time::{Duration, Instant};

use prevision_env::{Search, SearchIteration};

use super::{Candidates, SolverContext};

/// Keeps the time of a search and the trace of every episode.
#[derive(Debug)]
pub struct Stopwatch {
    began: Instant,
    deadline: Option<Duration>,
    searches: Vec<Search>,
}

impl Stopwatch {
    /// Begins a search for the plans of `rows` episodes.
    pub fn start(context: &SolverContext, rows: usize) -> Self {
        Self { began: Instant::now(), deadline: context.deadline, searches: vec![Search::default(); rows] }
    }

    /// Notes what an iteration came to for one episode.
    pub fn note(&mut self, row: usize, iteration: SearchIteration) {
        self.searches[row].iterations.push(iteration);
    }

    /// Whether the search ends with the iteration just made, because it was the last (`more` is false) or the time is used up.
    pub fn ends(&mut self, more: bool) -> bool {
        let late = self.deadline.is_some_and(|deadline| self.began.elapsed() >= deadline);
        if more && late {
            self.searches.iter_mut().for_each(|search| search.cut_short = true);
        }
        late || !more
    }

    /// How the searches went, a row each.
    pub fn stop(self) -> Vec<Search> {
        self.searches
    }
}

/// What an iteration of a search by samples came to: the chosen candidates shape the next one, whose standard deviations are `std`.
pub fn summary(candidates: &Candidates<'_>, chosen: &[usize], std: &[f32]) -> SearchIteration {
    let elites = chosen.iter().map(|index| candidates.costs[*index]).sum::<f32>() / chosen.len() as f32;
    SearchIteration { best: candidates.costs[chosen[0]], elites, spread: mean(std) }
}

/// The mean; 0 of nothing.
pub(super) fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::toy::search;

    #[test]
    fn a_search_ends_after_its_last_iteration_or_when_its_time_is_used_up() {
        let mut whole = Stopwatch::start(&search(), 2);
        assert!(!whole.ends(true) && whole.ends(false));
        whole.note(1, SearchIteration { best: 1.0, ..SearchIteration::default() });
        let searches = whole.stop();
        assert!(searches.iter().all(|search| !search.cut_short));
        assert_eq!((searches[0].iterations.len(), searches[1].iterations[0].best), (0, 1.0));
        let context = SolverContext { deadline: Some(Duration::ZERO), ..search() };
        let mut late = Stopwatch::start(&context, 1);
        assert!(late.ends(true));
        assert!(late.stop()[0].cut_short);
        let mut done = Stopwatch::start(&context, 1);
        assert!(done.ends(false));
        assert!(!done.stop()[0].cut_short, "nothing was left to do");
    }

    #[test]
    fn elites_are_summarised() {
        let candidates =
            Candidates { actions: &[0.0; 3], costs: &[5.0, 1.0, 2.0], violations: None, ranks: &[5.0, 1.0, 2.0] };
        let found = summary(&candidates, &[1, 2], &[0.5, 1.5]);
        assert_eq!(found, SearchIteration { best: 1.0, elites: 1.5, spread: 1.0 });
    }
}
