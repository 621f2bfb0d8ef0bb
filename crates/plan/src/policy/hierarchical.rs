//! A policy that looks far ahead with slower models.

use std::sync::Arc;

use burn::prelude::*;
use prevision_env::{Decision, Policy, PolicyError, Start, TimeStep};
use prevision_model::{Latents, Past, WorldModel};

use super::guided::host;
use super::way::Way;
use super::{Choices, Guidance, LatentPolicy};
use crate::hierarchy::{HierarchyConfig, ImaginedMap, Strides};

/// Puts slower models around a policy on latents. Each imagines the places around the agent until the goal is among them; the next place on
/// the way there is the goal of the level below, down to the policy inside, which plans in single actions. Where a level does not find the
/// goal, the level below is given that goal itself.
///
/// A place to which a [memory](super::Guided) leads is within reach, and is handed on as it is.
pub struct Hierarchical<P> {
    policy: P,
    model: Arc<dyn WorldModel>,
    levels: usize,
    options: HierarchyConfig,
    /// Sequences of one action, to measure what a step is; then those of each level.
    strides: Vec<Strides>,
    rows: Vec<Row>,
}

/// One episode.
struct Row {
    seed: u64,
    episode: u64,
    /// What each level imagines, the fastest first, and the way through it; empty before the first plan.
    maps: Vec<(ImaginedMap, Way)>,
}

impl<P: LatentPolicy> Hierarchical<P> {
    /// `levels` levels around `policy`, which is the first of them. `strides` makes action sequences of so many actions of the model.
    ///
    /// # Errors
    /// How many levels the model has, if that are fewer.
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
            return Err(format!("{known} or less: so many levels the model has, itself and its [[model.levels]]"));
        }
        let strides = std::iter::once(1).chain(slower).take(levels).map(strides).collect();
        Ok(Self { policy, model, levels, options, strides, rows: Vec::new() })
    }

    /// Numbers in the static part of a latent.
    fn still(&self) -> usize {
        self.model.spec().static_tokens * self.model.spec().token_width
    }

    /// The farthest that one action leads from here, as a distance of the moving parts of latents.
    fn step(&self, row: &Row, past: &Past) -> f32 {
        let (still, samples) = (self.still(), self.options.samples);
        let strides = &self.strides[0];
        let actions = strides.draw(samples, row.seed, row.episode, 0);
        let shape = [1, samples, 1, strides.length()];
        let actions = Tensor::<4>::from_data(TensorData::new(actions, shape), &self.model.device());
        let led = host(&self.model.imagine(past, actions));
        let present = host(&past.latents.last());
        let square = |latent: &[f32]| {
            let pairs = latent.iter().zip(&present).skip(still);
            pairs.map(|(there, here)| (there - here) * (there - here)).sum::<f32>()
        };
        led.chunks_exact(present.len()).map(square).fold(0.0, f32::max).sqrt()
    }

    /// Begins the maps of a row.
    fn begin_maps(&mut self, row: usize, past: &Past) {
        let step = self.step(&self.rows[row], past).max(f32::MIN_POSITIVE);
        let present = host(&past.latents.last());
        let (numbers, tokens, still) = (present.len(), self.model.spec().tokens, self.still());
        let Row { seed, episode, .. } = self.rows[row];
        let map = |_| {
            let grows = self.options.graph();
            let map = ImaginedMap::new(&present[..still], [numbers, tokens], step, grows, [seed, episode]);
            (map, Way::default())
        };
        self.rows[row].maps = (1..self.levels).map(map).collect();
    }

    /// What the policy inside is to aim at from here, on the way to the goal: from the slowest level down.
    fn sub_goal(&mut self, row: usize, present: &[f32], goal: Vec<f32>) -> Vec<f32> {
        let (model, options) = (Arc::clone(&self.model), &self.options);
        let (levels, device) = (model.levels(), model.device());
        let near = options.near as f32;
        let mut aim = goal;
        for (number, (map, way)) in self.rows[row].maps.iter_mut().enumerate().rev() {
            let (level, strides) = (levels[number], &self.strides[number + 1]);
            let here = map.find(present, near).unwrap_or_else(|| map.meet(present));
            loop {
                let place = map.find(&aim, near);
                way.set_out(map.graph(), place);
                if way.leads_from(here) || !map.grow(here, level, strides, options.samples, &device) {
                    break;
                }
            }
            if let Some(next) = way.next(map.graph(), here, options.way(level.stride())) {
                aim = map.latent(next);
            }
        }
        aim
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
        let row = |start: &Start<'_>| Row { seed: start.seed, episode: start.episode, maps: Vec::new() };
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
        let goals = guidance.goals.clone().or_else(|| self.policy.goals(rows));
        let (Some(past), Some(goals)) = (past.as_ref(), goals) else {
            return self.policy.choose(rows, past, guidance);
        };
        let [_, _, tokens, width] = goals.dims();
        let length = tokens * width;
        let (present, mut aims) = (host(&past.latents.last()), host(&goals));
        for (place, row) in rows.iter().enumerate() {
            if guidance.led.get(place).copied().unwrap_or(false) {
                continue;
            }
            if self.rows[*row].maps.is_empty() {
                self.begin_maps(*row, &past.rows(place, 1));
            }
            let range = place * length..(place + 1) * length;
            let aim = self.sub_goal(*row, &present[range.clone()], aims[range.clone()].to_vec());
            aims[range].copy_from_slice(&aim);
        }
        let aims =
            Tensor::<4>::from_data(TensorData::new(aims, [rows.len(), 1, tokens, width]), &goals.tokens.device());
        let guidance = Guidance { goals: Some(Latents::new(aims)), ..guidance };
        self.policy.choose(rows, Some(past.clone()), guidance)
    }
}
