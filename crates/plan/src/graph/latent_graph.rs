//! Places and transitions.

use std::collections::BTreeMap;

use super::nearest::Places;

/// Share of the places that are forgotten at once when there are too many.
const FORGOTTEN: f64 = 0.1;

/// Places are much alike within so many times the spacing.
const LIKE: f32 = 1.5;

/// Walks whose places are looked up at once.
const AT_ONCE: usize = 8;

/// How a graph grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphOptions {
    /// Two latents nearer to each other than this are one place, in the unit of a step: the median distance of latents one action
    /// apart.
    pub spacing: f32,
    /// The most places that are kept. Beyond it those that were met least often are forgotten, and the ways through them kept.
    pub most: usize,
}

/// Latents that were met, and how many actions led from one to another.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentGraph {
    pub(super) width: usize,
    pub(super) options: GraphOptions,
    /// The median distance of latents one action apart.
    pub(super) step: f32,
    /// `[places * width]`
    pub(super) places: Vec<f32>,
    /// Squared length of each place.
    pub(super) squares: Vec<f32>,
    /// How often each place was met.
    pub(super) visits: Vec<u32>,
    /// From each place the actions to others: the fewest that were seen.
    pub(super) ways: Vec<BTreeMap<usize, f32>>,
}

impl LatentGraph {
    /// An empty graph of latents of `width` numbers, in which `step` is the median distance of latents one action apart.
    pub fn new(width: usize, step: f32, options: GraphOptions) -> Self {
        let (places, squares, visits, ways) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { width, options, step, places, squares, visits, ways }
    }

    /// A graph out of its parts, as they were written.
    pub(super) fn of_parts(
        [width, most]: [usize; 2],
        [step, spacing]: [f32; 2],
        places: Vec<f32>,
        visits: Vec<u32>,
        ways: Vec<BTreeMap<usize, f32>>,
    ) -> Self {
        let squares = places.chunks_exact(width).map(square).collect();
        Self { width, options: GraphOptions { spacing, most }, step, places, squares, visits, ways }
    }

    /// The median distance of latents one action apart, of walks `[moments * width]`; `None` if nothing moves in them.
    pub fn measure_step<'a>(walks: impl Iterator<Item = &'a [f32]>, width: usize) -> Option<f32> {
        let mut lengths = Vec::new();
        for walk in walks {
            let moments: Vec<&[f32]> = walk.chunks_exact(width).collect();
            lengths.extend(moments.windows(2).map(|pair| distance(pair[0], pair[1])).filter(|length| *length > 0.0));
        }
        lengths.sort_by(f32::total_cmp);
        lengths.get(lengths.len() / 2).copied()
    }

    /// Number of places.
    pub fn len(&self) -> usize {
        self.visits.len()
    }

    /// Whether nothing was met yet.
    pub fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }

    /// Number of transitions.
    pub fn transitions(&self) -> usize {
        self.ways.iter().map(BTreeMap::len).sum()
    }

    /// Numbers in a latent.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The most places that are kept.
    pub fn most(&self) -> usize {
        self.options.most
    }

    /// Latents nearer to each other than this are one place, in steps.
    pub fn spacing(&self) -> f32 {
        self.options.spacing
    }

    /// How often each place was met.
    pub fn visits(&self) -> &[u32] {
        &self.visits
    }

    /// The latent of a place.
    pub fn place(&self, place: usize) -> &[f32] {
        &self.places[place * self.width..][..self.width]
    }

    /// From a place to others: the fewest actions that were seen.
    pub fn ways(&self, place: usize) -> &BTreeMap<usize, f32> {
        &self.ways[place]
    }

    /// The nearest place to each latent, and its distance in steps.
    ///
    /// # Shapes
    /// - latents: `[rows * width]`
    ///
    /// # Panics
    /// If nothing was met yet.
    pub fn nearest(&self, latents: &[f32]) -> Vec<(usize, f32)> {
        let found = Places::new(&self.places, &self.squares, self.width).nearest(latents);
        found.into_iter().map(|(place, square)| (place, square.sqrt() / self.step)).collect()
    }

    /// How far a latent is from a place, in steps.
    pub fn steps(&self, place: usize, latent: &[f32]) -> f32 {
        distance(self.place(place), latent) / self.step
    }

    /// How far two latents are from each other, in steps.
    pub fn apart(&self, a: &[f32], b: &[f32]) -> f32 {
        distance(a, b) / self.step
    }

    /// Takes in a walk: latents that followed each other, `actions` apart.
    ///
    /// # Shapes
    /// - walk: `[moments * width]`
    pub fn add(&mut self, walk: &[f32], actions: f32) {
        self.add_all(std::slice::from_ref(&walk), actions);
    }

    /// Takes in walks, one after another, as [`add`](Self::add) does; the places that were met before are looked up for several at once.
    pub fn add_all<W: AsRef<[f32]>>(&mut self, walks: &[W], actions: f32) {
        for walks in walks.chunks(AT_ONCE) {
            let latents: Vec<f32> = walks.iter().flat_map(AsRef::as_ref).copied().collect();
            let (old, known) = (self.len(), if self.is_empty() { Vec::new() } else { self.nearest(&latents) });
            let mut first = 0;
            for walk in walks {
                let moments = walk.as_ref().len() / self.width;
                self.follow(walk.as_ref(), actions, known.get(first..first + moments).unwrap_or_default(), old);
                first += moments;
            }
            if self.len() > self.options.most {
                self.forget();
            }
        }
    }

    /// Takes in a walk, of whose latents these are the nearest of the `old` first places.
    fn follow(&mut self, walk: &[f32], actions: f32, known: &[(usize, f32)], old: usize) {
        // Since the place that was met last: how many actions.
        let mut last: Option<(usize, f32)> = None;
        for (moment, latent) in walk.chunks_exact(self.width).enumerate() {
            let here = self.meet(latent, known.get(moment).copied(), old, self.options.spacing);
            if let Some((before, so_far)) = last {
                let taken = so_far + actions;
                if before == here {
                    last = Some((here, taken));
                    continue;
                }
                self.join(before, here, taken);
            }
            self.visits[here] = self.visits[here].saturating_add(1);
            last = Some((here, 0.0));
        }
    }

    /// The place of each latent, new ones where none is near.
    ///
    /// # Shapes
    /// - latents: `[rows * width]`
    pub fn meet_all(&mut self, latents: &[f32]) -> Vec<usize> {
        self.meet_within(latents, self.options.spacing)
    }

    /// As [`meet_all`](Self::meet_all), where only what is nearer than so many steps is the same place.
    pub fn meet_within(&mut self, latents: &[f32], spacing: f32) -> Vec<usize> {
        let (old, known) = (self.len(), if self.is_empty() { Vec::new() } else { self.nearest(latents) });
        let rows = latents.chunks_exact(self.width).enumerate();
        rows.map(|(row, latent)| self.meet(latent, known.get(row).copied(), old, spacing)).collect()
    }

    /// The place of a latent, a new one if none is near. `known` is the nearest of the `old` first places, and its distance in steps.
    fn meet(&mut self, latent: &[f32], known: Option<(usize, f32)>, old: usize, spacing: f32) -> usize {
        let mut nearest = known;
        for place in old..self.len() {
            let steps = distance(latent, self.place(place)) / self.step;
            if nearest.is_none_or(|(_, least)| steps < least) {
                nearest = Some((place, steps));
            }
        }
        if let Some((place, steps)) = nearest
            && steps < spacing
        {
            return place;
        }
        self.places.extend(latent);
        self.squares.push(square(latent));
        self.visits.push(0);
        self.ways.push(BTreeMap::new());
        self.len() - 1
    }

    /// Notes that so many actions lead from one place to another, if fewer are not known.
    pub fn join(&mut self, from: usize, to: usize, actions: f32) {
        let known = self.ways[from].entry(to).or_insert(actions);
        *known = known.min(actions);
    }

    /// Forgets that one place leads to another.
    pub fn part(&mut self, from: usize, to: usize) {
        self.ways[from].remove(&to);
    }

    /// Lets every transition be taken backwards, too, where nothing else is known: in so many times its actions.
    pub fn go_backwards(&mut self, price: f32) {
        let met: Vec<(usize, usize, f32)> = (0..self.len())
            .flat_map(|from| self.ways[from].iter().map(move |(to, actions)| (from, *to, *actions)))
            .collect();
        for (from, to, actions) in met {
            self.ways[to].entry(from).or_insert(price * actions);
        }
    }

    /// The transitions that are much like one: from about the same place to about the same place, as far away as places are from each other
    /// and half as much again.
    pub fn like(&self, [from, to]: [usize; 2]) -> Vec<[usize; 2]> {
        let within = LIKE * self.options.spacing * self.step;
        let near = |place: usize, other: usize| distance(self.place(place), self.place(other)) <= within;
        let starts = (0..self.len()).filter(|start| near(*start, from));
        starts
            .flat_map(|start| self.ways[start].keys().map(move |end| [start, *end]))
            .filter(|[_, end]| near(*end, to))
            .collect()
    }

    /// Forgets the places that were met least often, the oldest first, and joins what they lay between.
    fn forget(&mut self) {
        let surplus = self.len() - self.options.most;
        let count = surplus.max((self.options.most as f64 * FORGOTTEN) as usize).min(self.len() - 1);
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|place| (self.visits[*place], *place));
        let mut gone = vec![false; self.len()];
        for place in order.into_iter().take(count) {
            gone[place] = true;
            let onward = std::mem::take(&mut self.ways[place]);
            for from in 0..self.len() {
                let Some(before) = self.ways[from].remove(&place) else { continue };
                for (to, after) in onward.iter().filter(|(to, _)| **to != from && **to != place) {
                    self.join(from, *to, before + after);
                }
            }
        }
        let kept: Vec<usize> = (0..self.len()).filter(|place| !gone[*place]).collect();
        let mut number = vec![usize::MAX; self.len()];
        kept.iter().enumerate().for_each(|(new, old)| number[*old] = new);
        let renamed = |ways: &BTreeMap<usize, f32>| ways.iter().map(|(to, actions)| (number[*to], *actions)).collect();
        self.ways = kept.iter().map(|old| renamed(&self.ways[*old])).collect();
        self.places = kept.iter().flat_map(|old| self.place(*old).to_vec()).collect();
        self.squares = kept.iter().map(|old| self.squares[*old]).collect();
        self.visits = kept.iter().map(|old| self.visits[*old]).collect();
    }
}

fn square(latent: &[f32]) -> f32 {
    latent.iter().map(|value| value * value).sum()
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(most: usize) -> LatentGraph {
        LatentGraph::new(1, 1.0, GraphOptions { spacing: 0.75, most })
    }

    #[test]
    fn near_latents_are_one_place_and_actions_are_counted_between_places() {
        let mut graph = graph(100);
        graph.add(&[0.0, 0.5, 1.0, 2.0, 2.1, 3.0], 1.0);
        // 0.5 belongs to 0, 2.1 to 2.
        assert_eq!((graph.len(), graph.transitions(), graph.visits()), (4, 3, &[1, 1, 1, 1][..]));
        let ways = |from: usize| graph.ways(from).iter().map(|(to, actions)| (*to, *actions)).collect::<Vec<_>>();
        assert_eq!((ways(0), ways(1), ways(2)), (vec![(1, 2.0)], vec![(2, 1.0)], vec![(3, 2.0)]));
        let found = graph.nearest(&[2.4, -9.0]);
        assert_eq!((found[0].0, found[1]), (2, (0, 9.0)));
        assert!((found[0].1 - 0.4).abs() < 1e-5);
        graph.add(&[0.0, 1.0], 1.0);
        assert_eq!((graph.ways(0)[&1], graph.visits()[0]), (1.0, 2));
    }

    #[test]
    fn what_was_met_least_is_forgotten_and_the_way_through_it_kept() {
        let mut graph = graph(3);
        graph.add(&[0.0, 1.0, 2.0], 1.0);
        graph.add(&[0.0, 1.0], 1.0);
        graph.add(&[2.0, 3.0, 2.0, 3.0], 1.0);
        // Place 1 (met twice, as 0 was) is not the least: 0, 1: 2, 2: 3, 3: 2; the oldest of the least goes.
        assert_eq!((graph.len(), graph.places.as_slice()), (3, &[1.0, 2.0, 3.0][..]));
        let mut graph =
            LatentGraph { visits: vec![5, 1, 5], ..LatentGraph::new(1, 1.0, GraphOptions { spacing: 0.5, most: 2 }) };
        graph.places = vec![0.0, 1.0, 2.0];
        graph.squares = vec![0.0, 1.0, 4.0];
        graph.ways = vec![BTreeMap::from([(1, 1.0)]), BTreeMap::from([(2, 1.0), (0, 1.0)]), BTreeMap::from([(1, 2.0)])];
        graph.forget();
        assert_eq!(graph.places, [0.0, 2.0]);
        assert_eq!((graph.ways(0)[&1], graph.ways(1)[&0]), (2.0, 3.0));
    }

    #[test]
    fn the_step_is_the_median_of_what_moves() {
        let walks = [[0.0, 1.0, 1.0, 3.0].as_slice(), &[5.0, 5.5]];
        assert_eq!(LatentGraph::measure_step(walks.into_iter(), 1), Some(1.0));
        assert_eq!(LatentGraph::measure_step([[1.0, 1.0].as_slice()].into_iter(), 1), None);
    }

    #[test]
    fn walks_together_are_walks_one_by_one() {
        let walks: Vec<Vec<f32>> = (0..20)
            .map(|walk| (0..9).map(|moment| ((walk * 7 + moment * (1 + walk % 3)) % 23) as f32).collect())
            .collect();
        let (mut together, mut apart) = (graph(100), graph(100));
        together.add_all(&walks, 1.0);
        for walk in &walks {
            apart.add(walk, 1.0);
        }
        assert!(together.len() == 23 && together == apart);
    }

    #[test]
    fn ways_back_are_longer_where_they_were_not_met() {
        let mut graph = graph(100);
        graph.add(&[0.0, 1.0, 2.0], 1.0);
        graph.add(&[1.0, 0.0], 2.0);
        graph.go_backwards(3.0);
        let actions = |from: usize, to: usize| graph.ways(from).get(&to).copied();
        assert_eq!(
            (actions(0, 1), actions(1, 0), actions(2, 1), actions(2, 0)),
            (Some(1.0), Some(2.0), Some(3.0), None)
        );
    }
}
