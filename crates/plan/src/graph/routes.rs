//! Shortest ways through the graph.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::LatentGraph;

/// The least actions from every place to a goal, by Dijkstra's algorithm over the transitions backwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Routes {
    /// Actions to the goal; infinite from where no way is known.
    actions: Vec<f32>,
    /// The next place on the way; the goal's own is itself.
    next: Vec<usize>,
}

/// A number of actions as an order.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Actions(f32);

impl Eq for Actions {}

impl Ord for Actions {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Actions {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Routes {
    /// To this goal. `tolls` are actions that transitions take beside what was seen.
    ///
    /// # Panics
    /// If the graph has no such place.
    pub fn to(graph: &LatentGraph, goal: usize, tolls: &BTreeMap<(usize, usize), f32>) -> Self {
        let count = graph.len();
        let mut into: Vec<Vec<(usize, f32)>> = vec![Vec::new(); count];
        for from in 0..count {
            for (to, actions) in graph.ways(from) {
                into[*to].push((from, actions + tolls.get(&(from, *to)).copied().unwrap_or(0.0)));
            }
        }
        let mut routes = Self { actions: vec![f32::INFINITY; count], next: (0..count).collect() };
        routes.actions[goal] = 0.0;
        let mut open = BinaryHeap::from([Reverse((Actions(0.0), goal))]);
        while let Some(Reverse((Actions(so_far), place))) = open.pop() {
            if so_far > routes.actions[place] {
                continue;
            }
            for (from, actions) in &into[place] {
                let through = so_far + actions;
                if through < routes.actions[*from] {
                    routes.actions[*from] = through;
                    routes.next[*from] = place;
                    open.push(Reverse((Actions(through), *from)));
                }
            }
        }
        routes
    }

    /// Actions from a place to the goal; `None` if no way is known.
    pub fn actions(&self, place: usize) -> Option<f32> {
        Some(self.actions[place]).filter(|actions| actions.is_finite())
    }

    /// The places from one to the goal, without itself; empty at the goal and where no way is known.
    pub fn way(&self, from: usize) -> impl Iterator<Item = usize> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            let next = self.next[at];
            (next != at).then(|| {
                at = next;
                next
            })
        })
    }

    /// The last place on the way from one that is at most so many actions away, but the next one at least; `None` at the goal and
    /// where no way is known.
    pub fn ahead(&self, from: usize, actions: f32) -> Option<usize> {
        let here = self.actions(from)?;
        let within = |place: &usize| here - self.actions[*place] <= actions;
        let next = self.way(from).next()?;
        Some(self.way(from).take_while(within).last().unwrap_or(next))
    }
}

#[cfg(test)]
mod tests {
    use super::super::GraphOptions;
    use super::*;

    /// 0 - 1 - 2 - 3 - 4 forwards, and a direct but long way from 0 to 4; 5 alone.
    fn graph() -> LatentGraph {
        let mut graph = LatentGraph::new(1, 1.0, GraphOptions { spacing: 0.5, most: 100 });
        graph.add(&[0.0, 1.0, 2.0, 3.0, 4.0], 1.0);
        graph.add(&[0.0, 4.0], 7.0);
        graph.add(&[50.0], 1.0);
        graph
    }

    #[test]
    fn short_ways_are_found_and_tolls_make_them_longer() {
        let graph = graph();
        let free = Routes::to(&graph, 4, &BTreeMap::new());
        assert_eq!((free.actions(0), free.actions(5), free.actions(4)), (Some(4.0), None, Some(0.0)));
        assert_eq!(free.way(0).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((free.ahead(0, 2.5), free.ahead(0, 0.5), free.ahead(0, 99.0)), (Some(2), Some(1), Some(4)));
        assert_eq!((free.ahead(4, 9.0), free.ahead(5, 9.0)), (None, None));
        let tolls = BTreeMap::from([((1, 2), 10.0)]);
        let around = Routes::to(&graph, 4, &tolls);
        assert_eq!((around.actions(0), around.way(0).collect::<Vec<_>>()), (Some(7.0), vec![4]));
        // Transitions have a direction.
        assert_eq!(Routes::to(&graph, 0, &BTreeMap::new()).actions(1), None);
    }
}
