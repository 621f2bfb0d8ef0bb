//! Where in a graph an episode is.

use std::collections::BTreeSet;

use crate::graph::Lookup;

/// The place of an episode, from plan to plan.
///
/// Latents that are alike need not be near: on the two sides of a wall the agent looks nearly the same. So it is sought first among the
/// places that lie around the last one; and where plans lead nowhere, it is elsewhere than it seemed.
#[derive(Clone, Debug, Default)]
pub(super) struct Located {
    here: Option<usize>,
    /// Places that it is not at, until it gets on.
    doubted: BTreeSet<usize>,
}

impl Located {
    /// Takes in the places that look like the present, the nearest first, and says at which it is; `None` if there are none. Places around
    /// the last one are those that it takes at most `reach` actions to.
    pub(super) fn look(&mut self, lookup: &Lookup, alike: &[usize], reach: f32) -> Option<usize> {
        if alike.iter().all(|place| self.doubted.contains(place)) {
            self.doubted.clear();
        }
        let around = self.here.map(|here| lookup.around(here, reach));
        let mut possible = alike.iter().filter(|place| !self.doubted.contains(place));
        let nearest = possible.clone().next();
        let near = around.and_then(|around| possible.find(|place| around.contains_key(place)));
        self.here = near.or(nearest).copied();
        self.here
    }

    /// It is not where it seemed, nor at the places around.
    pub(super) fn doubt(&mut self, lookup: &Lookup, reach: f32) {
        if let Some(here) = self.here.take() {
            self.doubted.extend(lookup.around(here, reach).into_keys());
        }
    }

    /// It gets on: it is where it seemed.
    pub(super) fn confirm(&mut self) {
        self.doubted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GraphOptions, LatentGraph};

    #[test]
    fn it_stays_on_its_side_of_a_wall_until_plans_fail() {
        let mut graph = LatentGraph::new(2, 1.0, GraphOptions { spacing: 0.5, most: 100 });
        graph.add(&[0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.5, 2.0, 1.0, 1.0, 1.0, 0.0, 1.0], 1.0);
        let lookup = Lookup::new(graph);
        let look = |located: &mut Located, alike: &[usize]| located.look(&lookup, alike, 3.0);
        let mut located = Located::default();
        assert_eq!(look(&mut located, &[]), None);
        // At first the nearest; then one around it, though another looks nearer.
        assert_eq!(look(&mut located, &[1, 5]), Some(1));
        assert_eq!(look(&mut located, &[6, 0]), Some(0));
        // Plans from there fail: it was the other side all along.
        located.doubt(&lookup, 3.0);
        assert_eq!(look(&mut located, &[0, 6]), Some(6));
        assert_eq!(look(&mut located, &[0, 5]), Some(5));
        // When nothing else is left, it is taken as it looks.
        located.doubt(&lookup, 3.0);
        assert_eq!(look(&mut located, &[0]), Some(0));
        // Far away from the last place it is the nearest.
        located.confirm();
        assert_eq!(look(&mut located, &[5, 6]), Some(5));
    }
}
