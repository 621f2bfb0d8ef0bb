//! A policy that looks far ahead with slower models.

use std::sync::Arc;

use burn::prelude::*;
use prevision_core::config::check::message;
use prevision_env::{Decision, Policy, PolicyError, Start, TimeStep};
use prevision_model::{Latents, Past, WorldModel};

use super::way::Way;
use super::{Choices, Guidance, LatentPolicy};
use crate::hierarchy::{HierarchyConfig, ImaginedMap, Strides};
use crate::readout::Readout;

/// Puts slower models around a policy on latents. Each imagines the places around the agent until the goal is among them; the next place on
/// the way there is the goal of the level below, down to the policy inside, which plans in single actions. Where a level does not find the
/// goal, the level below is given that goal itself.
///
/// What a [memory](super::Guided) leads to along a way that it knows is within reach, and is handed on as it is; where that way has failed,
/// the levels look for one of their own.
pub struct Hierarchical<P> {
    policy: P,
    model: Arc<dyn WorldModel>,
    levels: usize,
    options: HierarchyConfig,
    /// What places are compared by; `None`: the moving part of latents.
    compare: Option<Readout>,
    /// Sequences of one action, to measure what a step is; then those of each level.
    strides: Vec<Strides>,
    rows: Vec<Row>,
}

/// One episode.
struct Row {
    seed: u64,
    episode: u64,
    /// What each level imagines and is about, the fastest first; empty before the first plan.
    levels: Vec<Level>,
    /// From where the last plan was to lead where, by what places are compared by.
    expected: Option<[Vec<f32>; 2]>,
}

/// A slower model in one episode.
struct Level {
    map: ImaginedMap,
    /// To the goal that it was given.
    way: Way,
    /// The stride that it is about.
    stride: Option<Stride>,
}

/// A stride that plans are to carry out.
#[derive(Clone, Copy)]
struct Stride {
    from: usize,
    to: usize,
    /// Plans that led there.
    plans: usize,
}

impl<P: LatentPolicy> Hierarchical<P> {
    /// `levels` levels around `policy`, which is the first of them. `strides` makes action sequences of so many actions of the model.
    ///
    /// # Errors
    /// The key at fault, if the model has fewer levels, or has not what places are to be compared by.
    pub fn new(
        policy: P,
        model: Arc<dyn WorldModel>,
        levels: usize,
        options: HierarchyConfig,
        strides: impl Fn(usize) -> Strides,
    ) -> Result<Self, String> {
        let slower: Vec<usize> = model.levels().iter().map(|level| level.stride()).collect();
        let known = slower.len() + 1;
        if levels > known {
            let allowed = format!("{known} or less: so many levels the model has, itself and its [[model.levels]]");
            return Err(message("levels", levels, allowed));
        }
        let compare = options.compare.as_ref().map(|name| Readout::new("compare", name, &model)).transpose()?;
        let strides = std::iter::once(1).chain(slower).take(levels).map(strides).collect();
        Ok(Self { policy, model, levels, options, compare, strides, rows: Vec::new() })
    }

    /// What latents are compared by, `[n, k]` of `[n, tokens, d]`.
    fn compared(&self, latents: Tensor<3>) -> Tensor<2> {
        if let Some(readout) = &self.compare {
            return readout.of(&Latents::new(latents.unsqueeze_dim(1))).flatten(1, 2);
        }
        let (tokens, still) = (latents.dims()[1], self.model.spec().static_tokens);
        latents.narrow(1, still, tokens - still).flatten(1, 2)
    }

    /// The same as numbers, of one latent `[1, tokens, d]`.
    fn numbers(&self, latent: Tensor<3>) -> Vec<f32> {
        self.compared(latent).into_data().try_into_vec_as::<f32>().expect("latents are floats")
    }

    /// Takes in where a plan has led, if it was to lead elsewhere.
    fn learn(&mut self, row: usize, at: &[f32]) {
        let Some([from, to]) = self.rows[row].expected.take() else { return };
        for Level { map, .. } in &mut self.rows[row].levels {
            if map.graph().apart(at, &to) > self.options.near as f32 {
                map.fail(from.clone(), to.clone());
            }
        }
    }

    /// The farthest that one action leads from here, by what latents are compared by, and of how many numbers that is.
    fn step(&self, row: &Row, past: &Past) -> (f32, usize) {
        let samples = self.options.samples;
        let strides = &self.strides[0];
        let actions = strides.draw(samples, row.seed, row.episode, 0);
        let shape = [1, samples, 1, strides.length()];
        let actions = Tensor::<4>::from_data(TensorData::new(actions, shape), &self.model.device());
        let led = self.compared(self.model.imagine(past, actions).tokens.squeeze_dim(1));
        let present = self.compared(past.latents.last().tokens.squeeze_dim(1));
        let [_, width] = present.dims();
        let farthest = (led - present).square().sum_dim(1).max().into_scalar::<f32>();
        (farthest.sqrt().max(f32::MIN_POSITIVE), width)
    }

    /// Begins the maps of a row.
    fn begin_maps(&mut self, row: usize, past: &Past) {
        let (step, width) = self.step(&self.rows[row], past);
        let spec = self.model.spec();
        let shape = [spec.tokens, spec.token_width];
        let Row { seed, episode, .. } = self.rows[row];
        let level = |_| Level {
            map: ImaginedMap::new(shape, width, step, self.options.graph(), [seed, episode]),
            way: Way::default(),
            stride: None,
        };
        self.rows[row].levels = (1..self.levels).map(level).collect();
    }

    /// What the policy inside is to aim at from here, on the way to the goal: from the slowest level down. All are `[1, tokens, d]`.
    fn sub_goal(&mut self, row: usize, present: Tensor<3>, goal: Tensor<3>) -> Tensor<3> {
        let mut levels = std::mem::take(&mut self.rows[row].levels);
        let mut aim = goal;
        for (number, level) in levels.iter_mut().enumerate().rev() {
            if let Some(place) = self.next(number, level, &present, &aim) {
                aim = Tensor::from_data(TensorData::new(level.map.latent(place).to_vec(), aim.dims()), &aim.device());
            }
        }
        self.rows[row].levels = levels;
        aim
    }

    /// The place that a level leads to next; `None` if that is the goal itself, or no way is found. A stride that was begun is gone on with
    /// until it has led to its end, or has not within so many plans.
    fn next(&self, number: usize, level: &mut Level, present: &Tensor<3>, goal: &Tensor<3>) -> Option<usize> {
        let (options, near) = (&self.options, self.options.near as f32);
        let (slower, device) = (self.model.levels()[number], self.model.device());
        let (strides, samples) = (&self.strides[number + 1], options.samples);
        let compare = |latents: Tensor<3>| self.compared(latents);
        let (at, to_reach) = (self.numbers(present.clone()), self.numbers(goal.clone()));
        let Level { map, way, stride } = level;
        let mut reached = None;
        if let Some(Stride { from, to, plans }) = stride.take() {
            let same = map.find(&to_reach, near) == way.goal();
            if map.graph().steps(to, &at) <= near {
                reached = Some(to);
            } else if same && plans < options.patience {
                *stride = Some(Stride { from, to, plans: plans + 1 });
                return (way.goal() != Some(to)).then_some(to);
            } else if same {
                way.add_toll(map.graph(), [from, to], options.toll as f32);
            }
        }
        let here = reached.unwrap_or_else(|| map.arrive(present.clone(), &compare));
        map.see(here, present.clone());
        loop {
            way.set_out(map.graph(), map.find(&to_reach, near));
            if !way.leads_from(here) {
                if map.grow(here, slower, strides, [samples, options.draws], &compare, &device) {
                    continue;
                }
                return None;
            }
            let ahead = way.transitions(here);
            if !map.check(&ahead, self.model.as_ref(), strides, samples, (near, &compare)) {
                continue;
            }
            let [from, to] = *ahead.first()?;
            *stride = Some(Stride { from, to, plans: 1 });
            return (way.goal() != Some(to)).then_some(to);
        }
    }
}

impl<P: LatentPolicy> Policy for Hierarchical<P> {
    fn name(&self) -> String {
        format!("{}-levels/{}", self.levels, self.policy.name())
    }

    fn start_state(&mut self, seed: u64, episode: u64) -> Option<Vec<f32>> {
        self.policy.start_state(seed, episode)
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.policy.begin(episodes)?;
        let row =
            |start: &Start<'_>| Row { seed: start.seed, episode: start.episode, levels: Vec::new(), expected: None };
        self.rows = episodes.iter().map(row).collect();
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let past = self.observe(rows, seen)?;
        Ok(self.choose(rows, past, Guidance::default())?.decisions)
    }
}

impl<P: LatentPolicy> LatentPolicy for Hierarchical<P> {
    fn observe(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Option<Past>, PolicyError> {
        self.policy.observe(rows, seen)
    }

    fn goals(&self, rows: &[usize]) -> Option<Latents> {
        self.policy.goals(rows)
    }

    fn choose(&mut self, rows: &[usize], past: Option<Past>, guidance: Guidance) -> Result<Choices, PolicyError> {
        let (Some(past), Some(goals)) = (past.as_ref(), self.policy.goals(rows)) else {
            return self.policy.choose(rows, past, guidance);
        };
        let mut aims = Vec::with_capacity(rows.len());
        let mut starts = vec![None; rows.len()];
        for (place, row) in rows.iter().enumerate() {
            let led = guidance.led.get(place).copied().unwrap_or(false);
            if let Some(known) = guidance.goals.as_ref().filter(|_| led) {
                aims.push(known.rows(place, 1).tokens.squeeze_dim::<3>(1));
                continue;
            }
            let goal = goals.rows(place, 1).tokens.squeeze_dim::<3>(1);
            let past = past.rows(place, 1);
            if self.rows[*row].levels.is_empty() {
                self.begin_maps(*row, &past);
            }
            let present = past.latents.last().tokens.squeeze_dim::<3>(1);
            let at = self.numbers(present.clone());
            self.learn(*row, &at);
            aims.push(self.sub_goal(*row, present, goal));
            starts[place] = Some(at);
        }
        let aims = Tensor::cat(aims, 0).unsqueeze_dim::<4>(1);
        let guidance = Guidance { goals: Some(Latents::new(aims)), ..guidance };
        let choices = self.policy.choose(rows, Some(past.clone()), guidance)?;
        if let Some(expected) = &choices.expected {
            for (place, start) in starts.into_iter().enumerate() {
                let to = |_| self.numbers(expected.rows(place, 1).tokens.squeeze_dim(1));
                self.rows[rows[place]].expected = start.as_ref().map(to).zip(start).map(|(to, from)| [from, to]);
            }
        }
        Ok(choices)
    }
}
