//! Looking up the same places many times.

use std::collections::BTreeMap;

use burn::prelude::*;

use super::LatentGraph;
use super::nearest::{Places, matrix};

/// A graph that does not change any more, prepared for finding in it where one is.
pub struct Lookup {
    graph: LatentGraph,
    /// `[width, places]`
    places: Tensor<2>,
    /// From each place those that a transition joins it with, in either direction, and its actions.
    beside: Vec<Vec<(usize, f32)>>,
}

impl Lookup {
    /// Of a graph with at least one place.
    pub fn new(graph: LatentGraph) -> Self {
        let mut beside = vec![Vec::new(); graph.len()];
        for from in 0..graph.len() {
            for (to, actions) in graph.ways(from) {
                beside[from].push((*to, *actions));
                beside[*to].push((from, *actions));
            }
        }
        Self { places: matrix(&graph.places, graph.len(), graph.width()), graph, beside }
    }

    /// What it was prepared from.
    pub fn graph(&self) -> &LatentGraph {
        &self.graph
    }

    /// The places that are at most so many steps from each latent, the nearest first.
    ///
    /// # Shapes
    /// - latents: `[rows * width]`
    pub fn within(&self, latents: &[f32], steps: f32) -> Vec<Vec<usize>> {
        let graph = &self.graph;
        let places = Places::with_matrix(&graph.places, &graph.squares, graph.width(), self.places.clone());
        let most = (steps * graph.step).powi(2);
        let places_of = |near: Vec<(usize, f32)>| near.into_iter().map(|(place, _)| place).collect();
        places.within(latents, most).into_iter().map(places_of).collect()
    }

    /// The places around one: those that transitions, in either direction, join with it in at most so many actions; itself among them.
    pub fn around(&self, place: usize, actions: f32) -> BTreeMap<usize, f32> {
        let mut found = BTreeMap::from([(place, 0.0)]);
        let mut open = vec![place];
        // The region is small: what is reached on a shorter way later is simply visited again.
        while let Some(at) = open.pop() {
            let so_far = found[&at];
            for (to, taken) in &self.beside[at] {
                let through = so_far + taken;
                if through <= actions && found.get(to).is_none_or(|known| through < *known) {
                    found.insert(*to, through);
                    open.push(*to);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::GraphOptions;
    use super::*;

    #[test]
    fn what_is_near_in_latents_need_not_be_near_in_actions() {
        let mut graph = LatentGraph::new(2, 1.0, GraphOptions { spacing: 0.5, most: 100 });
        // Around a wall: (0, 1) is near (0, 0), and six actions away.
        graph.add(&[0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.5, 2.0, 1.0, 1.0, 1.0, 0.0, 1.0], 1.0);
        let lookup = Lookup::new(graph);
        assert_eq!(lookup.within(&[0.1, 0.2, 9.0, 9.0], 1.0), [vec![0, 6, 1], vec![]]);
        assert_eq!(lookup.within(&[0.0, 0.4], 1.0), [[0, 6]]);
        assert_eq!(lookup.around(0, 2.5).into_keys().collect::<Vec<_>>(), [0, 1, 2]);
        // Transitions count in both directions.
        assert_eq!(lookup.around(6, 1.0).into_iter().collect::<Vec<_>>(), [(5, 1.0), (6, 0.0)]);
    }
}
