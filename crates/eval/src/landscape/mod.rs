//! Energy landscapes: how far what a model imagines of every action is from what came, over a plane of actions (V-JEPA 2-AC).

mod picture;

use burn::tensor::{Tensor, TensorData};
use prevision_core::{HostBatch, Space};
use prevision_data::{ClipDataset, in_order_with};
use prevision_model::{ClipBatch, Latents, Past, WorldModel};
use serde::Serialize;

use crate::{EvalError, bootstrap};

pub use picture::svg;

/// Clips that are worked on at once.
const BATCH: usize = 8;

/// What is asked.
#[derive(Clone, Debug)]
pub struct LandscapeOptions {
    /// Frames, at most; each is the present of one landscape.
    pub frames: usize,
    /// Actions along each side of the plane.
    pub side: usize,
    /// Which two numbers of an action of the world span the plane.
    pub axes: [usize; 2],
    /// Steps of the model from the present to the frame whose latent is the goal; the same action is held for all of them.
    pub steps: usize,
    /// Least and largest value of either axis; unset: those of the actions that were taken, over all frames.
    pub range: Option<[f64; 2]>,
    /// Seed of the interval.
    pub seed: u64,
}

/// Landscapes, and how near to the true action their minima are.
#[derive(Clone, Debug, Serialize)]
pub struct Landscapes {
    /// Number of landscapes.
    pub frames: usize,
    /// Videos or episodes that they are of.
    pub episodes: usize,
    /// Mean distance of the action with the least energy from the true one, in the unit of the actions.
    pub distance: f64,
    /// 95 % interval over episodes.
    pub distance_interval: Option<[f64; 2]>,
    /// The same of an action drawn from the plane by chance, on average.
    pub chance: f64,
    /// The same of the mean of the true actions: the best guess that looks at no frame.
    pub mean_action: f64,
    /// `distance / chance`
    pub over_chance: f64,
    /// 95 % interval over episodes.
    pub over_chance_interval: Option<[f64; 2]>,
    /// `distance / mean_action`
    pub over_mean_action: f64,
    /// 95 % interval over episodes.
    pub over_mean_action_interval: Option<[f64; 2]>,
    /// Mean share of the plane whose energy is below that of the true action: 0.5 by chance, 0 at best.
    pub rank: f64,
    /// The landscapes.
    pub landscapes: Vec<Landscape>,
}

/// The energy over a plane of actions, at one frame.
#[derive(Clone, Debug, Serialize)]
pub struct Landscape {
    /// The video or episode.
    pub episode: usize,
    /// The present, a frame of it.
    pub frame: usize,
    /// Values along the first and the second axis.
    pub values: [Vec<f64>; 2],
    /// Mean absolute difference of the imagined latent and the one that came, `[second axis][first axis]`.
    pub energy: Vec<Vec<f64>>,
    /// What was done, along both axes: the mean of the actions up to the goal.
    pub action: [f64; 2],
    /// The action with the least energy.
    pub minimum: [f64; 2],
    /// The energy of what was done.
    pub action_energy: f64,
}

/// Landscapes of held-out clips, one for each, with as many clips of each video as `frames` allow.
///
/// The present is the latest frame that leaves `steps` of the clip; the model knows those before it as far as its history goes.
///
/// # Errors
/// If the clips have no actions or are too short, an axis does not exist, the data fail, or the device does.
pub fn landscapes(
    model: &dyn WorldModel,
    dataset: &dyn ClipDataset,
    options: &LandscapeOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Landscapes, EvalError> {
    let plane = Plane::new(model, options)?;
    let each = options.frames.div_ceil(dataset.videos().max(1)).max(1);
    let mut batches: Vec<HostBatch> = Vec::new();
    let mut count = 0;
    for batch in in_order_with(dataset, each, BATCH) {
        let mut batch = batch?;
        batch.clips.truncate(options.frames - count);
        count += batch.clips.len();
        batches.push(batch);
        if count >= options.frames {
            break;
        }
    }
    if count < 2 {
        return Err(EvalError::TooFewClips { side: "held-out", clips: count, least: 2 });
    }
    let axes = match options.range {
        Some(range) => [range; 2],
        None => plane.extent(&batches),
    };
    let values = axes.map(|[low, high]| {
        (0..options.side).map(|i| low + (high - low) * i as f64 / (options.side - 1) as f64).collect::<Vec<f64>>()
    });
    let mut found = Vec::new();
    for batch in &batches {
        found.extend(plane.of_batch(batch, &values)?);
        progress(found.len(), count);
    }
    Ok(summary(found, options.seed))
}

/// What is the same for all landscapes.
struct Plane<'a> {
    model: &'a dyn WorldModel,
    /// Moments that are seen, the present is the last of them.
    seen: usize,
    steps: usize,
    axes: [usize; 2],
    /// Numbers in an action of the world, of which the model takes several at once where frames are stepped over.
    width: usize,
}

impl<'a> Plane<'a> {
    fn new(model: &'a dyn WorldModel, options: &LandscapeOptions) -> Result<Self, EvalError> {
        let refused = |message: String| Err(EvalError::Suite(message));
        let spec = model.spec();
        let Some(space) = &spec.spaces.action else { return refused("a landscape needs actions".to_owned()) };
        if matches!(space, Space::Discrete { .. }) {
            return refused("a landscape needs actions that are vectors; those of the data are choices".to_owned());
        }
        let width = space.width();
        if let Some(axis) = options.axes.iter().find(|axis| **axis >= width) {
            return refused(format!("axis {axis} of actions of {width} numbers, counted from 0"));
        }
        if options.axes[0] == options.axes[1] || options.side < 2 {
            return refused("a plane needs two axes that differ, with two values or more".to_owned());
        }
        let moments = spec.spaces.frames;
        if options.steps == 0 || options.steps >= moments {
            let most = moments - 1;
            return refused(format!(
                "{} steps to the goal, but clips of {moments} frames allow 1 to {most}",
                options.steps
            ));
        }
        let seen = (moments - options.steps).min(spec.history);
        Ok(Self { model, seen, steps: options.steps, axes: options.axes, width })
    }

    /// The mean action of the world from the present to the goal, along both axes.
    fn done(&self, actions: &[f32], all: usize) -> [f64; 2] {
        let first = (self.seen - 1) * all;
        let taken = &actions[first..first + self.steps * all];
        let count = (self.steps * all / self.width) as f64;
        self.axes.map(|axis| taken.chunks(self.width).map(|action| f64::from(action[axis])).sum::<f64>() / count)
    }

    /// The range of what was done, along both axes.
    fn extent(&self, batches: &[HostBatch]) -> [[f64; 2]; 2] {
        let mut extent = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        for actions in batches.iter().flat_map(|batch| &batch.clips).filter_map(|clip| clip.actions.as_ref()) {
            let done = self.done(&actions.data, actions.columns);
            for (range, value) in extent.iter_mut().zip(done) {
                *range = [range[0].min(value), range[1].max(value)];
            }
        }
        extent
    }

    /// The landscapes of some clips.
    fn of_batch(&self, batch: &HostBatch, values: &[Vec<f64>; 2]) -> Result<Vec<Landscape>, EvalError> {
        let spec = self.model.spec();
        let device = self.model.device();
        let clips = ClipBatch::upload(batch, spec.spaces.frame_step, &spec.normalise, &device);
        let latents = self.model.encode(&clips.observations);
        let actions = clips.actions.ok_or_else(|| EvalError::Suite("clips without actions".to_owned()))?;
        let [rows, _, all] = actions.dims();
        let past = Past {
            latents: latents.moments(0, self.seen),
            actions: (self.seen > 1).then(|| actions.clone().narrow(1, 0, self.seen - 1)),
        };
        // The true actions first, then those of the plane, held.
        let side = values[0].len();
        let mut candidates = Vec::new();
        for clip in &batch.clips {
            let taken = clip.actions.as_ref().map_or(&[][..], |actions| &actions.data);
            let first = (self.seen - 1) * all;
            let taken = &taken[first..first + self.steps * all];
            candidates.extend_from_slice(taken);
            for second in &values[1] {
                for value in &values[0] {
                    let mut actions = taken.to_vec();
                    for action in actions.chunks_mut(self.width) {
                        action[self.axes[0]] = *value as f32;
                        action[self.axes[1]] = *second as f32;
                    }
                    candidates.extend(actions);
                }
            }
        }
        let samples = 1 + side * side;
        let shape = [rows, samples, self.steps, all];
        let candidates = Tensor::<4>::from_data(TensorData::new(candidates, shape), &device);
        let imagined = self.model.imagine(&past, candidates);
        let energy = energies(&imagined, &latents.moments(self.seen + self.steps - 1, 1), samples)?;
        let landscape = |(row, energy): (usize, &[f32])| {
            let source = &batch.clips[row].source;
            let taken = batch.clips[row].actions.as_ref().map_or(&[][..], |actions| &actions.data);
            let present = source.start + (self.seen - 1) * spec.spaces.frame_step;
            Landscape::new(source.video, present, values, energy, self.done(taken, all))
        };
        Ok(energy.chunks_exact(samples).enumerate().map(landscape).collect())
    }
}

/// The mean absolute difference of the last imagined latents from those that came, `[rows * samples]`.
fn energies(imagined: &Latents, goals: &Latents, samples: usize) -> Result<Vec<f32>, EvalError> {
    let last = imagined.last().vectors();
    let goals = goals.vectors();
    let [rows, _, width] = goals.dims();
    let goals = goals.expand([rows, samples, width]);
    let apart: Tensor<3> = (last.reshape([rows, samples, width]) - goals).abs().mean_dim(2);
    let values = apart.into_data().try_into_vec_as::<f32>();
    values.map_err(|error| EvalError::Suite(error.to_string()))
}

impl Landscape {
    /// `energy` is that of what was done, then those of the plane, the first axis fastest.
    fn new(episode: usize, frame: usize, values: &[Vec<f64>; 2], energy: &[f32], action: [f64; 2]) -> Self {
        let side = values[0].len();
        let plane = &energy[1..];
        let least = (0..plane.len()).min_by(|a, b| plane[*a].total_cmp(&plane[*b])).unwrap_or_default();
        Self {
            episode,
            frame,
            values: values.clone(),
            energy: plane.chunks(side).map(|row| row.iter().map(|value| f64::from(*value)).collect()).collect(),
            action,
            minimum: [values[0][least % side], values[1][least / side]],
            action_energy: f64::from(energy[0]),
        }
    }

    /// Share of the plane whose energy is below that of what was done.
    fn rank(&self) -> f64 {
        let all = self.energy.iter().flatten();
        let below = all.clone().filter(|energy| **energy < self.action_energy).count();
        below as f64 / all.count() as f64
    }

    /// The mean distance of the plane's actions from what was done.
    fn chance(&self) -> f64 {
        let [first, second] = &self.values;
        let sum: f64 = second.iter().flat_map(|y| first.iter().map(|x| apart([*x, *y], self.action))).sum();
        sum / (first.len() * second.len()) as f64
    }
}

fn apart(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// Distances and ranks of all landscapes, with intervals over their episodes.
fn summary(landscapes: Vec<Landscape>, seed: u64) -> Landscapes {
    let middle = [0, 1].map(|axis| mean(landscapes.iter().map(|it| it.action[axis])));
    // Distance, chance, mean action.
    let numbers: Vec<[f64; 3]> =
        landscapes.iter().map(|it| [apart(it.minimum, it.action), it.chance(), apart(middle, it.action)]).collect();
    let mut episodes: Vec<usize> = landscapes.iter().map(|it| it.episode).collect();
    episodes.sort_unstable();
    episodes.dedup();
    let of_episode: Vec<Vec<[f64; 3]>> = episodes
        .iter()
        .map(|episode| {
            landscapes.iter().zip(&numbers).filter(|(it, _)| it.episode == *episode).map(|it| *it.1).collect()
        })
        .collect();
    let sum = |drawn: &[usize], which: usize| -> f64 {
        drawn.iter().flat_map(|episode| &of_episode[*episode]).map(|numbers| numbers[which]).sum()
    };
    let ratio = |which: usize| bootstrap(episodes.len(), seed, |drawn| sum(drawn, 0) / sum(drawn, which));
    let distance_interval = bootstrap(episodes.len(), seed, |drawn| {
        sum(drawn, 0) / drawn.iter().map(|episode| of_episode[*episode].len()).sum::<usize>() as f64
    });
    let [distance, chance, mean_action] = [0, 1, 2].map(|which| mean(numbers.iter().map(|numbers| numbers[which])));
    Landscapes {
        frames: landscapes.len(),
        episodes: episodes.len(),
        distance,
        distance_interval,
        chance,
        mean_action,
        over_chance: distance / chance,
        over_chance_interval: ratio(1),
        over_mean_action: distance / mean_action,
        over_mean_action_interval: ratio(2),
        rank: mean(landscapes.iter().map(Landscape::rank)),
        landscapes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landscape(episode: usize, action: [f64; 2], energy: [f32; 5]) -> Landscape {
        Landscape::new(episode, 3, &[vec![0.0, 1.0], vec![0.0, 1.0]], &energy, action)
    }

    #[test]
    fn the_minimum_is_where_the_energy_is_least() {
        // Of what was done 0.5; below it is (1, 0) alone.
        let it = landscape(0, [1.0, 1.0], [0.5, 0.9, 0.2, 0.6, 0.7]);
        assert_eq!((it.minimum, it.rank(), it.action_energy), ([1.0, 0.0], 0.25, 0.5));
        assert_eq!(it.energy[1], [0.6_f32, 0.7].map(f64::from));
        // From (1, 1): the root of 2, 1, 1 and 0.
        assert!((it.chance() - (2.0 + 2.0_f64.sqrt()) / 4.0).abs() < 1e-12);
    }

    #[test]
    fn distances_are_compared_with_chance_and_with_the_mean_action() {
        let near = landscape(0, [0.0, 0.0], [0.1, 0.2, 0.9, 0.9, 0.9]);
        let far = landscape(1, [1.0, 0.0], [0.1, 0.2, 0.9, 0.9, 0.9]);
        let all = summary(vec![near, far], 0);
        assert_eq!((all.frames, all.episodes, all.distance, all.mean_action), (2, 2, 0.5, 0.5));
        assert_eq!(all.over_mean_action_interval, Some([0.0, 2.0]));
        assert_eq!(all.rank, 0.0);
        assert!((all.over_chance - 0.5 / ((2.0 + 2.0_f64.sqrt()) / 4.0)).abs() < 1e-12);
    }
}
