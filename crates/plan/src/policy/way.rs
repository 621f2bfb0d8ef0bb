//! Following a way through a graph.

use std::collections::BTreeMap;

use crate::graph::{LatentGraph, Routes};

/// How a way is followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WayOptions {
    /// How far ahead on the way a sub-goal lies at most, in actions of the model; half of it after a plan without a step forward, and so
    /// on.
    pub ahead: f32,
    /// Plans in a row that may pass without a step forward on the way, before the transition that they fail at becomes longer and the place
    /// of the agent is doubted.
    pub patience: usize,
    /// Actions by which it becomes longer, for the rest of the episode.
    pub toll: f32,
}

/// The way of one episode to a place of a graph. Where it does not get on, a transition is not what it seemed, and costs a toll from then on
/// (learning real-time search, Korf 1990).
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// The place of the goal, and the ways to it; `None` if it is not known.
    goal: Option<(usize, Routes)>,
    /// Actions that transitions take beside what the graph says.
    tolls: BTreeMap<(usize, usize), f32>,
    /// The least actions to the goal so far, and plans since then.
    best: Option<(f32, usize)>,
}

impl Way {
    /// Sets out for a place, or for the same again in a graph that has grown.
    pub(super) fn set_out(&mut self, graph: &LatentGraph, goal: Option<usize>) {
        if self.goal.as_ref().map(|(place, _)| *place) != goal {
            self.best = None;
        }
        self.goal = goal.map(|place| (place, Routes::to(graph, place, &self.tolls)));
    }

    /// The place that it leads to.
    pub(super) fn goal(&self) -> Option<usize> {
        self.goal.as_ref().map(|(place, _)| *place)
    }

    /// Notes that a transition is not what it seemed, nor are those like it; [`set_out`](Self::set_out) again follows.
    pub(super) fn add_toll(&mut self, graph: &LatentGraph, transition: [usize; 2], toll: f32) {
        for [from, to] in graph.like(transition) {
            *self.tolls.entry((from, to)).or_insert(0.0) += toll;
        }
    }

    /// Whether a way is known from here.
    pub(super) fn leads_from(&self, here: usize) -> bool {
        self.goal.as_ref().is_some_and(|(_, routes)| routes.actions(here).is_some())
    }

    /// The transitions from here to the goal; none if no way is known.
    pub(super) fn transitions(&self, here: usize) -> Vec<[usize; 2]> {
        let Some((_, routes)) = &self.goal else { return Vec::new() };
        let mut from = here;
        routes.way(here).map(|to| [std::mem::replace(&mut from, to), to]).collect()
    }

    /// Whether plans from here lead nowhere: the way to the goal has not become shorter for so many plans. Then the first transition of the
    /// way is not what it was, and becomes longer.
    pub(super) fn fails(&mut self, graph: &LatentGraph, here: usize, options: WayOptions) -> bool {
        let Some((goal, routes)) = &self.goal else { return false };
        let (goal, Some(left)) = (*goal, routes.actions(here)) else { return false };
        let since = match self.best {
            Some((best, since)) if left >= best => since + 1,
            _ => 0,
        };
        if since < options.patience {
            self.best = Some((self.best.map_or(left, |(best, _)| best.min(left)), since));
            return false;
        }
        let after = routes.way(here).next();
        if let Some(after) = after {
            self.add_toll(graph, [here, after], options.toll);
            self.goal = Some((goal, Routes::to(graph, goal, &self.tolls)));
        }
        self.best = None;
        true
    }

    /// Whether the last plan was a step forward.
    pub(super) fn gets_on(&self) -> bool {
        self.best.is_some_and(|(_, since)| since == 0)
    }

    /// The place on the way from here that comes next; `None` if no way is known, or the goal's own place is the next.
    pub(super) fn next(&self, here: usize, ahead: f32) -> Option<usize> {
        // What lies nearer is reached more surely, along the way that was met.
        let since = self.best.map_or(0, |(_, since)| since);
        let ahead = ahead / (1 << since.min(16)) as f32;
        let (goal, routes) = self.goal.as_ref()?;
        routes.ahead(here, ahead).filter(|aim| aim != goal)
    }
}
