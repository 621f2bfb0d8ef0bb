//! Places that a slower model imagines.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use burn::prelude::*;
use prevision_model::{Latents, Past, SlowModel, WorldModel};

use super::Strides;
use crate::graph::{GraphOptions, LatentGraph};

/// Places from which strides are imagined at once.
const AT_ONCE: usize = 16;

/// The farthest that one action leads, in steps as they were measured where the episode began, where a wall may have been in the way.
const FARTHEST: f32 = 1.5;

/// What is seen is at a place that is nearer than so many steps.
const SAME: f32 = 0.5;

/// What places are compared by.
///
/// # Shapes
/// - input: latents, `[n, tokens, d]`
/// - output: `[n, k]`
pub type Compare<'a> = &'a dyn Fn(Tensor<3>) -> Tensor<2>;

/// What a slower model imagines of the surroundings of one episode: places, and which a stride leads to from which.
#[derive(Clone, Debug)]
pub struct ImaginedMap {
    /// Places by what they are compared by.
    graph: LatentGraph,
    /// The latent of each place, `[places * numbers]`.
    latents: Vec<f32>,
    /// Tokens in a latent, and numbers in a token.
    shape: [usize; 2],
    /// How often strides were imagined from each place.
    expanded: Vec<usize>,
    /// How often they are to be, by now.
    draws: usize,
    /// Which of the strides that were imagined from a place led to another: of which draw, and its number.
    leading: BTreeMap<[usize; 2], (usize, usize)>,
    /// Those that were not yet found to be right.
    doubtful: BTreeSet<[usize; 2]>,
    /// Of the strides that were found to be right, where each of their steps leads, by what places are compared by, `[steps + 1, k]`.
    paths: BTreeMap<[usize; 2], Vec<f32>>,
    /// From where plans were to lead where, and did not, `[k]` each.
    failures: Vec<[Vec<f32>; 2]>,
    seed: u64,
    episode: u64,
}

impl ImaginedMap {
    /// Nothing is imagined yet. Latents have `shape` tokens and numbers in each; places are compared by `width` numbers, of which `step` is
    /// the distance that one action leads.
    pub fn new(shape: [usize; 2], width: usize, step: f32, options: GraphOptions, [seed, episode]: [u64; 2]) -> Self {
        let graph = LatentGraph::new(width, step, options);
        Self {
            graph,
            latents: Vec::new(),
            shape,
            expanded: Vec::new(),
            draws: 1,
            leading: BTreeMap::new(),
            doubtful: BTreeSet::new(),
            paths: BTreeMap::new(),
            failures: Vec::new(),
            seed,
            episode,
        }
    }

    /// The places and the strides between them.
    pub fn graph(&self) -> &LatentGraph {
        &self.graph
    }

    /// The latent of a place, `[tokens * d]`.
    pub fn latent(&self, place: usize) -> &[f32] {
        let [tokens, width] = self.shape;
        &self.latents[place * tokens * width..][..tokens * width]
    }

    /// The places of latents, new ones where none is near.
    ///
    /// # Shapes
    /// - latents: `[n, tokens, d]`
    pub fn meet(&mut self, latents: Tensor<3>, compare: Compare<'_>) -> Vec<usize> {
        let places = self.graph.meet_all(&values(compare(latents.clone())));
        self.keep(latents, places)
    }

    /// The place of what is seen, `[1, tokens, d]`, a new one unless it is just where another is: two places that are near each other need
    /// not be joined, a wall may stand between them.
    pub fn arrive(&mut self, latent: Tensor<3>, compare: Compare<'_>) -> usize {
        let places = self.graph.meet_within(&values(compare(latent.clone())), SAME);
        self.keep(latent, places)[0]
    }

    /// Puts what is seen at a place, `[1, tokens, d]`, in the place of what was imagined there; strides from it are to be checked anew.
    pub fn see(&mut self, place: usize, latent: Tensor<3>) {
        let [tokens, width] = self.shape;
        self.latents[place * tokens * width..][..tokens * width].copy_from_slice(&values(latent));
        self.doubtful.extend(self.graph.ways(place).keys().map(|to| [place, *to]));
    }

    /// Keeps the latents of new places.
    fn keep(&mut self, latents: Tensor<3>, places: Vec<usize>) -> Vec<usize> {
        let [tokens, width] = self.shape;
        let latents = values(latents);
        for (latent, place) in latents.chunks_exact(tokens * width).zip(&places) {
            // New places are numbered in the order in which they were met.
            if *place == self.expanded.len() {
                self.latents.extend_from_slice(latent);
                self.expanded.push(0);
            }
        }
        places
    }

    /// The place nearest to one latent, of which these are the numbers that it is compared by, if it is within so many steps.
    pub fn find(&self, compared: &[f32], within: f32) -> Option<usize> {
        if self.graph.is_empty() {
            return None;
        }
        let (place, steps) = *self.graph.nearest(compared).first()?;
        (steps <= within).then_some(place)
    }

    /// Imagines strides from the nearest places that can be reached from here and from which none were imagined yet; when there are no such
    /// places any more, other strides from all of them, `draws` times in all. Whether there were any, and room for more.
    pub fn grow(
        &mut self,
        here: usize,
        model: &dyn SlowModel,
        strides: &Strides,
        [samples, draws]: [usize; 2],
        compare: Compare<'_>,
        device: &Device,
    ) -> bool {
        let mut open = self.open(here);
        if open.is_empty() && self.draws < draws {
            self.draws += 1;
            open = self.open(here);
        }
        if open.is_empty() || self.graph.len() >= self.graph.most() {
            return false;
        }
        let latents: Vec<f32> = open.iter().flat_map(|place| self.latent(*place)).copied().collect();
        let draw = |place: &usize| self.draw(strides, samples, *place, self.expanded[*place]);
        let actions: Vec<f32> = open.iter().flat_map(draw).collect();
        let ([tokens, width], count, stride) = (self.shape, open.len(), model.stride());
        let from = Tensor::<3>::from_data(TensorData::new(latents, [count, tokens, width]), device);
        let shape = [count, samples, stride, strides.length() / stride];
        let actions = Tensor::<4>::from_data(TensorData::new(actions, shape), device);
        let places = self.meet(model.leap(from, actions), compare);
        for (index, to) in places.into_iter().enumerate() {
            let from = open[index / samples];
            let apart = self.graph.apart(self.graph.place(from), self.graph.place(to));
            // A latent that is of no place, such as one within a wall, leads anywhere.
            if from != to && apart <= stride as f32 + self.graph.spacing() {
                if !self.graph.ways(from).contains_key(&to) {
                    self.leading.insert([from, to], (self.expanded[from], index % samples));
                    self.doubtful.insert([from, to]);
                }
                self.graph.join(from, to, stride as f32);
            }
        }
        for place in open {
            self.expanded[place] += 1;
        }
        true
    }

    /// The strides that are imagined from a place the `draw`-th time, `[samples * stride * a]`.
    fn draw(&self, strides: &Strides, samples: usize, place: usize, draw: usize) -> Vec<f32> {
        strides.draw(samples, self.seed, self.episode, place as u64 | (draw as u64) << 32)
    }

    /// Imagines strides once more in single steps, those of these transitions that were not yet. A slower model that errs at a wall finds
    /// ways through it; where the faster one does not come near the same place, the transition leads where that one comes to. Whether all were
    /// right.
    pub fn check(
        &mut self,
        transitions: &[[usize; 2]],
        model: &dyn WorldModel,
        strides: &Strides,
        samples: usize,
        (near, compare): (f32, Compare<'_>),
    ) -> bool {
        let doubtful: Vec<[usize; 2]> =
            transitions.iter().filter(|pair| self.doubtful.contains(*pair)).copied().collect();
        if doubtful.is_empty() {
            return true;
        }
        let (count, device, [tokens, width]) = (doubtful.len(), model.device(), self.shape);
        let (mut latents, mut actions) = (Vec::new(), Vec::new());
        for pair in &doubtful {
            let (draw, sample) = self.leading[pair];
            latents.extend_from_slice(self.latent(pair[0]));
            let drawn = self.draw(strides, samples, pair[0], draw);
            actions.extend_from_slice(&drawn[sample * strides.length()..][..strides.length()]);
        }
        let steps = strides.steps();
        let shape = [count, 1, steps, strides.length() / steps];
        let actions = Tensor::<4>::from_data(TensorData::new(actions, shape), &device);
        let latents = Tensor::<4>::from_data(TensorData::new(latents, [count, 1, tokens, width]), &device);
        let past = Past { latents: Latents::new(latents), actions: None };
        let imagined = model.imagine(&past, actions);
        let led = imagined.last().tokens.reshape([count, tokens, width]);
        let compared = values(compare(imagined.tokens.reshape([count * steps, tokens, width])));
        let numbers = self.graph.width();
        let mut right = true;
        for (index, [from, to]) in doubtful.into_iter().enumerate() {
            self.doubtful.remove(&[from, to]);
            let mut path = self.graph.place(from).to_vec();
            path.extend_from_slice(&compared[index * steps * numbers..][..steps * numbers]);
            let mut leads = to;
            if self.graph.steps(to, &path[steps * numbers..]) > near {
                self.graph.part(from, to);
                leads = self.meet(led.clone().narrow(0, index, 1), compare)[0];
                right = false;
            }
            if self.leaps(&path) || self.failures.iter().any(|failure| self.fails(&path, failure)) {
                self.graph.part(from, to);
                right = false;
            } else if leads != from {
                self.graph.join(from, leads, steps as f32);
                self.leading.insert([from, leads], self.leading[&[from, to]]);
                self.doubtful.remove(&[from, leads]);
                self.paths.insert([from, leads], path);
            }
        }
        right
    }

    /// Notes that a plan was to lead from one place to another, and did not: strides that lead the same way are forgotten.
    pub fn fail(&mut self, from: Vec<f32>, to: Vec<f32>) {
        let failure = [from, to];
        let wrong: Vec<[usize; 2]> =
            self.paths.iter().filter(|(_, path)| self.fails(path, &failure)).map(|(pair, _)| *pair).collect();
        for pair in wrong {
            self.paths.remove(&pair);
            self.graph.part(pair[0], pair[1]);
        }
        self.failures.push(failure);
    }

    /// Whether a step of a path leads farther than an action can.
    fn leaps(&self, path: &[f32]) -> bool {
        let moments: Vec<&[f32]> = path.chunks_exact(self.graph.width()).collect();
        moments.windows(2).any(|pair| self.graph.apart(pair[0], pair[1]) > FARTHEST)
    }

    /// Whether a path comes by both ends of a failure, each within a step, in this order.
    fn fails(&self, path: &[f32], [from, to]: &[Vec<f32>; 2]) -> bool {
        let near = |at: &[f32], end: &[f32]| self.graph.apart(at, end) <= 1.0;
        let mut steps = path.chunks_exact(self.graph.width()).skip_while(|at| !near(at, from)).skip(1);
        steps.any(|at| near(at, to))
    }

    /// The nearest places that can be reached from here and from which strides were imagined less often than they are to be, in the order
    /// of how many strides away they are.
    fn open(&self, here: usize) -> Vec<usize> {
        let (mut seen, mut queue) = (vec![false; self.graph.len()], VecDeque::from([here]));
        seen[here] = true;
        let mut open = Vec::new();
        while let Some(place) = queue.pop_front() {
            if self.expanded[place] < self.draws {
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

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().expect("latents are floats")
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
        let mut map = ImaginedMap::new([2, 1], 1, 1.0, options, [1, 0]);
        let device = Device::flex();
        let latent = |numbers: [f32; 2]| Tensor::<1>::from_floats(numbers, &device).reshape([1, 2, 1]);
        // The static part is not compared.
        let compare = |latents: Tensor<3>| latents.narrow(1, 1, 1).flatten::<2>(1, 2);
        let strides = Strides::new(Space::Box { low: vec![-1.0], high: vec![1.0] }, 1, 2);
        let start = map.meet(latent([7.0, 2.0]), &compare)[0];
        let find = |map: &ImaginedMap, at: f32| map.find(&[at], 0.5);
        assert_eq!(
            (map.meet(latent([9.0, 2.1]), &compare), find(&map, 2.4), find(&map, 2.6)),
            (vec![0], Some(0), None)
        );
        let mut rounds = 0;
        while find(&map, -6.0).is_none() {
            assert!(map.grow(start, &Line, &strides, [8, 1], &compare, &device));
            rounds += 1;
        }
        assert!(rounds < 12, "{rounds}");
        let goal = find(&map, -6.0).unwrap();
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
        let mut map = ImaginedMap::new([1, 1], 1, 1.0, GraphOptions { spacing: 0.01, most: 5 }, [1, 0]);
        let (device, compare) = (Device::flex(), |latents: Tensor<3>| latents.flatten::<2>(1, 2));
        let strides = Strides::new(Space::Unbounded { dim: 1 }, 1, 1);
        let start = map.meet(Tensor::zeros([1, 1, 1], &device), &compare)[0];
        assert!(map.grow(start, &Free, &strides, [9, 1], &compare, &device));
        assert!(map.graph().len() > 5);
        assert!(!map.grow(start, &Free, &strides, [9, 1], &compare, &device));
    }

    #[test]
    fn strides_are_drawn_again_when_no_place_is_left() {
        let mut map = ImaginedMap::new([1, 1], 1, 1.0, GraphOptions { spacing: 0.1, most: 100_000 }, [1, 0]);
        let (device, compare) = (Device::flex(), |latents: Tensor<3>| latents.flatten::<2>(1, 2));
        let strides = Strides::new(Space::Box { low: vec![0.0], high: vec![1.0] }, 1, 2);
        // Nothing passes 3, so that few places are all that there are.
        let start = map.meet(Tensor::zeros([1, 1, 1], &device), &compare)[0];
        let mut grow = |draws| {
            let mut rounds = 0;
            while map.grow(start, &Bounded, &strides, [2, draws], &compare, &device) {
                rounds += 1;
            }
            (rounds, map.graph().transitions())
        };
        let (once, few) = grow(1);
        assert!(once > 0);
        assert_eq!(grow(1), (0, few));
        let (again, more) = grow(3);
        assert!(again > 0 && more > few, "{again} rounds more, {few} and {more} transitions");
        assert_eq!(grow(3), (0, more));
    }

    /// As [`Line`], with a latent of one number.
    struct Bounded;

    impl SlowModel for Bounded {
        fn stride(&self) -> usize {
            2
        }

        fn leap(&self, from: Tensor<3>, actions: Tensor<4>) -> Tensor<3> {
            let [count, samples, ..] = actions.dims();
            let start = from.reshape([count, 1]);
            let at = (start + actions.sum_dim(3).sum_dim(2).reshape([count, samples])).clamp_max(3.0);
            at.reshape([count * samples, 1, 1])
        }
    }

    #[test]
    fn what_is_seen_takes_the_place_of_what_was_imagined() {
        let mut map = ImaginedMap::new([2, 1], 1, 1.0, GraphOptions { spacing: 0.5, most: 100 }, [1, 0]);
        let device = Device::flex();
        let latent = |numbers: [f32; 2]| Tensor::<1>::from_floats(numbers, &device).reshape([1, 2, 1]);
        let compare = |latents: Tensor<3>| latents.narrow(1, 1, 1).flatten::<2>(1, 2);
        let place = map.meet(latent([7.0, 2.0]), &compare)[0];
        // The same place, with another static part.
        assert_eq!(map.arrive(latent([8.0, 2.3]), &compare), place);
        assert_eq!(map.latent(place), [7.0, 2.0]);
        map.graph.meet_all(&[4.0]);
        map.graph.join(place, 1, 2.0);
        assert!(map.doubtful.is_empty());
        map.see(place, latent([8.0, 2.3]));
        assert_eq!(map.latent(place), [8.0, 2.3]);
        // What was imagined from there was imagined from another latent.
        assert_eq!(map.doubtful.iter().copied().collect::<Vec<_>>(), [[place, 1]]);
        // Farther away, though not farther than the spacing of places, it is another.
        assert_ne!(map.arrive(latent([8.0, 2.6]), &compare), place);
    }

    #[test]
    fn what_failed_is_forgotten_and_not_believed_again() {
        let options = GraphOptions { spacing: 0.5, most: 100 };
        let mut map = ImaginedMap::new([2, 1], 1, 1.0, options, [1, 0]);
        map.graph.meet_all(&[0.0, 4.0]);
        map.graph.join(0, 1, 4.0);
        map.paths.insert([0, 1], vec![0.0, 1.0, 2.0, 3.0, 4.0]);
        map.fail(vec![-2.0], vec![2.0]); // begins elsewhere
        map.fail(vec![3.0], vec![1.0]); // the other way
        assert_eq!(map.graph().transitions(), 1);
        map.fail(vec![0.5], vec![2.5]);
        assert_eq!((map.graph().transitions(), map.paths.len(), map.failures.len()), (0, 0, 3));
    }
}
