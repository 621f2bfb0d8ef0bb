//! A policy that is led by a graph of what was met.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use burn::prelude::*;
use prevision_env::{Decision, Policy, PolicyError, Start, TimeStep};
use prevision_model::{Latents, Past};

use super::located::Located;
use super::way::{Way, WayOptions};
use super::{Choices, Guidance, LatentPolicy};
use crate::graph::{LatentGraph, Lookup};

/// Plans that are led by slower models, if there are any, when a way has failed: enough for some strides.
const DOUBTED_FOR: usize = 6;

/// How a policy is led.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GuidedOptions {
    /// How known ways are followed.
    pub way: WayOptions,
    /// A start or a goal farther from every place than this is not known, in the unit of a step: plans then lead to the goal itself.
    pub near: f32,
    /// The most actions of the graph from the place of one plan to that of the next.
    pub reach: f32,
}

/// Puts a memory of places around a policy on latents: the shortest known way from the present to the goal is looked up in a graph of
/// latents that were met, and plans lead to a place on it that is within their reach. Where no way is known, they lead to the goal
/// itself.
///
/// All episodes see the graph as it was at the start, so that none depends on the others; what they meet is kept apart ([`Met`]), to be
/// added when they have ended.
pub struct Guided<P> {
    policy: P,
    /// `None` if nothing was met yet.
    lookup: Option<Arc<Lookup>>,
    options: GuidedOptions,
    rows: Vec<Row>,
    met: Met,
}

/// What episodes have met: of each the latents that followed each other from plan to plan, `[moments * width]`, by the number of the
/// episode. A handle: whoever holds one sees what a policy meets.
#[derive(Clone, Debug, Default)]
pub struct Met(Arc<Mutex<BTreeMap<u64, Vec<f32>>>>);

impl Met {
    fn add(&self, episode: u64, latent: &[f32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(episode).or_default().extend(latent);
    }

    /// Takes out what was met so far, in the order of the episodes.
    pub fn take(&self) -> Vec<Vec<f32>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_values().collect()
    }
}

/// One episode.
#[derive(Clone, Debug, Default)]
struct Row {
    episode: u64,
    /// Places that look like the goal, the nearest first.
    goals: Vec<usize>,
    way: Way,
    located: Located,
    /// Plans for which the way is not trusted: it has failed.
    doubted_for: usize,
}

impl<P: LatentPolicy> Guided<P> {
    /// A policy, and what was met before.
    pub fn new(policy: P, graph: LatentGraph, options: GuidedOptions) -> Self {
        let lookup = (!graph.is_empty()).then(|| Arc::new(Lookup::new(graph)));
        Self { policy, lookup, options, rows: Vec::new(), met: Met::default() }
    }

    /// What the episodes meet.
    pub fn met(&self) -> Met {
        self.met.clone()
    }

    /// Where the plans of these rows are to lead, `[rows, 1, tokens, d]`, to a place on the way or to the goal; and whether the way is to be
    /// trusted.
    fn sub_goals(
        &mut self,
        lookup: &Lookup,
        rows: &[usize],
        present: &Latents,
        goals: &Latents,
    ) -> (Latents, Vec<bool>) {
        let alike = lookup.within(&host(present), self.options.near);
        let [_, _, tokens, width] = goals.dims();
        let (mut values, mut led) = (host(goals), Vec::with_capacity(rows.len()));
        for (place, (row, alike)) in rows.iter().zip(alike).enumerate() {
            let aim = self.aim(lookup, *row, &alike);
            if let Some(Aim::Place(aim)) = aim {
                values[place * tokens * width..][..tokens * width].copy_from_slice(lookup.graph().place(aim));
            }
            led.push(aim.is_some() && self.rows[*row].doubted_for == 0);
        }
        let shape = [rows.len(), 1, tokens, width];
        (Latents::new(Tensor::from_data(TensorData::new(values, shape), &goals.tokens.device())), led)
    }

    /// What a row is to be led to, from where it looks like these places; `None` if no way is known.
    fn aim(&mut self, lookup: &Lookup, row: usize, alike: &[usize]) -> Option<Aim> {
        let GuidedOptions { way: options, reach, .. } = self.options;
        let Row { goals, way, located, doubted_for, .. } = &mut self.rows[row];
        *doubted_for = doubted_for.saturating_sub(1);
        // Of some places no way is known: where a walk began, none leads to it; where one ended, none leads on.
        let leads =
            |way: &Way| -> Vec<usize> { alike.iter().copied().filter(|place| way.leads_from(*place)).collect() };
        let mut known = leads(way);
        let mut others = goals.iter();
        while known.is_empty() {
            way.set_out(lookup.graph(), Some(*others.next()?));
            known = leads(way);
        }
        let mut here = located.look(lookup, &known, reach)?;
        if way.fails(lookup.graph(), here, options) {
            located.doubt(lookup, reach);
            *doubted_for = DOUBTED_FOR;
            here = located.look(lookup, &known, reach)?;
        } else if way.gets_on() {
            located.confirm();
        }
        Some(way.next(here, options.ahead).map_or(Aim::Goal, Aim::Place))
    }
}

/// What a known way leads to next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// A place on it.
    Place(usize),
    /// The goal, which is within reach.
    Goal,
}

/// The numbers of latents, row by row.
fn host(latents: &Latents) -> Vec<f32> {
    latents.tokens.clone().into_data().try_into_vec_as::<f32>().expect("latents are floats")
}

impl<P: LatentPolicy> Policy for Guided<P> {
    fn name(&self) -> String {
        format!("guided/{}", self.policy.name())
    }

    fn start_state(&mut self, seed: u64, episode: u64) -> Option<Vec<f32>> {
        self.policy.start_state(seed, episode)
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.policy.begin(episodes)?;
        self.rows = episodes.iter().map(|start| Row { episode: start.episode, ..Row::default() }).collect();
        let all: Vec<usize> = (0..episodes.len()).collect();
        let Some(goals) = self.policy.goals(&all) else { return Ok(()) };
        let Some(lookup) = &self.lookup else { return Ok(()) };
        let [_, _, tokens, width] = goals.dims();
        let held = lookup.graph().width();
        if tokens * width != held {
            let message = format!(
                "the memory holds latents of {held} numbers, those of the model have {}: it is of another model",
                tokens * width
            );
            return Err(PolicyError::Unfit { policy: self.name(), message });
        }
        let places = lookup.within(&host(&goals), self.options.near);
        for (row, places) in self.rows.iter_mut().zip(places) {
            row.goals = places;
        }
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let past = self.observe(rows, seen)?;
        Ok(self.choose(rows, past, Guidance::default())?.decisions)
    }
}

impl<P: LatentPolicy> LatentPolicy for Guided<P> {
    fn observe(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Option<Past>, PolicyError> {
        let past = self.policy.observe(rows, seen)?;
        if let Some(past) = &past {
            let present = past.latents.last();
            let [_, _, tokens, width] = present.dims();
            for (row, latent) in rows.iter().zip(host(&present).chunks_exact(tokens * width)) {
                self.met.add(self.rows[*row].episode, latent);
            }
        }
        Ok(past)
    }

    fn goals(&self, rows: &[usize]) -> Option<Latents> {
        self.policy.goals(rows)
    }

    fn choose(&mut self, rows: &[usize], past: Option<Past>, guidance: Guidance) -> Result<Choices, PolicyError> {
        let (present, goals) = (past.as_ref().map(|past| past.latents.last()), self.policy.goals(rows));
        let lookup = self.lookup.clone();
        let guided = match (&lookup, present, goals) {
            (Some(lookup), Some(present), Some(goals)) => Some(self.sub_goals(lookup, rows, &present, &goals)),
            _ => None,
        };
        let guidance = match guided {
            Some((goals, led)) if guidance.goals.is_none() => Guidance { goals: Some(goals), led, ..guidance },
            _ => guidance,
        };
        self.policy.choose(rows, past, guidance)
    }
}
