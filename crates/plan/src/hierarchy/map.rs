//! Places that a slower model imagines.

use std::collections::VecDeque;

use burn::prelude::*;
use prevision_model::SlowModel;

use super::Strides;
use crate::graph::{GraphOptions, LatentGraph};

/// Places from which strides are imagined at once.
const AT_ONCE: usize = 16;

/// What a slower model imagines of the surroundings of one episode: places, and which a stride leads to from which. Of latents only the part
/// that moves is compared; the static part of all places is that of the first latent.
#[derive(Clone, Debug)]
pub struct ImaginedMap {
    graph: LatentGraph,
    /// The static part of all places, `[static]`.
    still: Vec<f32>,
    /// Tokens in a latent.
    tokens: usize,
    /// From which places strides were imagined.
    expanded: Vec<bool>,
    seed: u64,
    episode: u64,
}

impl ImaginedMap {
    /// Nothing is imagined yet. `still` is the static part of the episode's latents, which have so many numbers in so many tokens; `step`
    /// is the distance that one action leads.
    pub fn new(
        still: &[f32],
        [numbers, tokens]: [usize; 2],
        step: f32,
        options: GraphOptions,
        [seed, episode]: [u64; 2],
    ) -> Self {
        let graph = LatentGraph::new(numbers - still.len(), step, options);
        Self { graph, still: still.to_vec(), tokens, expanded: Vec::new(), seed, episode }
    }

    /// The places and the strides between them.
    pub fn graph(&self) -> &LatentGraph {
        &self.graph
    }

    /// The latent of a place, whole.
    pub fn latent(&self, place: usize) -> Vec<f32> {
        [&self.still, self.graph.place(place)].concat()
    }

    /// The part of a latent that moves.
    fn moving<'a>(&self, latent: &'a [f32]) -> &'a [f32] {
        &latent[self.still.len()..]
    }

    /// The place of a latent, a new one if none is near.
    pub fn meet(&mut self, latent: &[f32]) -> usize {
        let place = self.graph.meet_all(self.moving(latent))[0];
        self.expanded.resize(self.graph.len(), false);
        place
    }

    /// The place nearest to a latent, if it is within so many steps.
    pub fn find(&self, latent: &[f32], within: f32) -> Option<usize> {
        if self.graph.is_empty() {
            return None;
        }
        let (place, steps) = *self.graph.nearest(self.moving(latent)).first()?;
        (steps <= within).then_some(place)
    }

    /// Imagines strides from the nearest places that can be reached from here and from which none were imagined yet. Whether there were
    /// any, and room for more.
    pub fn grow(
        &mut self,
        here: usize,
        model: &dyn SlowModel,
        strides: &Strides,
        samples: usize,
        device: &Device,
    ) -> bool {
        let open = self.open(here);
        if open.is_empty() || self.graph.len() >= self.graph.most() {
            return false;
        }
        let latents: Vec<f32> = open.iter().flat_map(|place| self.latent(*place)).collect();
        let actions: Vec<f32> =
            open.iter().flat_map(|place| strides.draw(samples, self.seed, self.episode, *place as u64)).collect();
        let width = (self.still.len() + self.graph.width()) / self.tokens;
        let (count, stride) = (open.len(), model.stride());
        let from = Tensor::<3>::from_data(TensorData::new(latents, [count, self.tokens, width]), device);
        let shape = [count, samples, stride, strides.length() / stride];
        let actions = Tensor::<4>::from_data(TensorData::new(actions, shape), device);
        let led: Tensor<3> = model.leap(from, actions);
        let moving = self.graph.width();
        let led = led.reshape([count * samples, self.tokens * width]).narrow(1, self.still.len(), moving);
        let led = led.into_data().try_into_vec_as::<f32>().expect("latents are floats");
        let places = self.graph.meet_all(&led);
        for (index, to) in places.into_iter().enumerate() {
            let from = open[index / samples];
            if from != to {
                self.graph.join(from, to, stride as f32);
            }
        }
        self.expanded.resize(self.graph.len(), false);
        for place in open {
            self.expanded[place] = true;
        }
        true
    }

    /// The nearest places that can be reached from here and from which no strides were imagined, in the order of how many strides away
    /// they are.
    fn open(&self, here: usize) -> Vec<usize> {
        let (mut seen, mut queue) = (vec![false; self.graph.len()], VecDeque::from([here]));
        seen[here] = true;
        let mut open = Vec::new();
        while let Some(place) = queue.pop_front() {
            if !self.expanded[place] {
                open.push(place);
                if open.len() == AT_ONCE {
                    break;
                }
            }
            for to in self.graph.ways(place).keys() {
                if !std::mem::replace(&mut seen[*to], true) {
                    queue.push_back(*to);
                }
            }
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use prevision_core::Space;

    use super::*;

    /// A point on a line moves by the actions; it cannot pass 3. Its latent is a static number and where it is.
    struct Line;

    impl SlowModel for Line {
        fn stride(&self) -> usize {
            2
        }

        fn leap(&self, from: Tensor<3>, actions: Tensor<4>) -> Tensor<3> {
            let [count, samples, ..] = actions.dims();
            let start = from.clone().narrow(1, 1, 1).reshape([count, 1]);
            let at = (start + actions.sum_dim(3).sum_dim(2).reshape([count, samples])).clamp_max(3.0);
            let still = from.narrow(1, 0, 1).reshape([count, 1]).expand([count, samples]);
            Tensor::stack::<3>(vec![still, at], 2).reshape([count * samples, 2, 1])
        }
    }

    #[test]
    fn places_are_imagined_until_there_are_no_more_and_strides_join_them() {
        let options = GraphOptions { spacing: 0.5, most: 100 };
        let mut map = ImaginedMap::new(&[7.0], [2, 2], 1.0, options, [1, 0]);
        let strides = Strides::new(Space::Box { low: vec![-1.0], high: vec![1.0] }, 1, 2);
        let start = map.meet(&[7.0, 2.0]);
        // The static part is not compared.
        assert_eq!(
            (map.meet(&[9.0, 2.1]), map.find(&[0.0, 2.4], 0.5), map.find(&[0.0, 2.6], 0.5)),
            (start, Some(0), None)
        );
        let mut rounds = 0;
        while map.find(&[7.0, -6.0], 0.5).is_none() {
            assert!(map.grow(start, &Line, &strides, 8, &Device::flex()));
            rounds += 1;
        }
        assert!(rounds < 12, "{rounds}");
        let goal = map.find(&[7.0, -6.0], 0.5).unwrap();
        let latent = map.latent(goal);
        assert!(latent[0] == 7.0 && (latent[1] + 6.0).abs() <= 0.5, "{latent:?}");
        let routes = crate::graph::Routes::to(map.graph(), goal, &std::collections::BTreeMap::new());
        // 8 units, at most 2 a stride of 2 actions.
        let actions = routes.actions(start).unwrap();
        assert!((8.0..=16.0).contains(&actions), "{actions}");
        assert!((0..map.graph().len()).all(|place| map.latent(place)[1] <= 3.0), "nothing passes 3");
        assert_eq!(map.graph().ways(start).values().next(), Some(&2.0));
    }

    /// A point on a line without an end.
    struct Free;

    impl SlowModel for Free {
        fn stride(&self) -> usize {
            1
        }

        fn leap(&self, from: Tensor<3>, actions: Tensor<4>) -> Tensor<3> {
            let [count, samples, ..] = actions.dims();
            let start = from.reshape([count, 1]);
            (start + actions.reshape([count, samples])).reshape([count * samples, 1, 1])
        }
    }

    #[test]
    fn no_more_places_are_imagined_than_are_asked_for() {
        let mut map = ImaginedMap::new(&[], [1, 1], 1.0, GraphOptions { spacing: 0.1, most: 5 }, [1, 0]);
        let strides = Strides::new(Space::Unbounded { dim: 1 }, 1, 1);
        let start = map.meet(&[0.0]);
        assert!(map.grow(start, &Free, &strides, 9, &Device::flex()));
        assert!(map.graph().len() > 5);
        assert!(!map.grow(start, &Free, &strides, 9, &Device::flex()));
    }
}
