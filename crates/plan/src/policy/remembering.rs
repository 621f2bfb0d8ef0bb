//! A policy that remembers what it met.

use std::sync::Arc;

use burn::prelude::*;
use prevision_env::{Decision, Policy, PolicyError, Start, TimeStep};
use prevision_model::{Distance, Latents, Past, WorldModel};

use super::memory::Memory;
use super::{Choices, Guidance, LatentPolicy};

/// Puts a memory around a policy on latents. Where a plan was to bring the agent and did not, or where it came to a stop, the
/// learned distance becomes longer for the rest of the episode: an obstacle that the policy inside is told of.
pub struct Remembering<P> {
    policy: P,
    model: Arc<dyn WorldModel>,
    price: f32,
    memory: Memory,
}

impl<P: LatentPolicy> Remembering<P> {
    /// A memory around `policy`, whose latents are those of `model`. `price` is by how many steps passing a place becomes longer.
    ///
    /// # Errors
    /// What the model needs, if it has no learned distance that knows places.
    pub fn new(policy: P, model: Arc<dyn WorldModel>, price: f32) -> Result<Self, String> {
        let places = model.distance().and_then(Distance::places);
        let places = places.ok_or("this model has no learned distance that knows places")?;
        Ok(Self { policy, model, price, memory: Memory::new(places, price) })
    }

    /// The share of the agents in every place, of latents `[rows, 1, tokens, d]`.
    fn presences(&self, latents: &Latents) -> Vec<Vec<f32>> {
        let [rows, _, tokens, width] = latents.dims();
        let distance = self.model.distance().expect("checked when it was made");
        let presences = distance.starts(latents.tokens.clone().reshape([rows, tokens, width]));
        let [_, places] = presences.dims();
        let values = presences.into_data().try_into_vec_as::<f32>().expect("presences are floats");
        values.chunks_exact(places).map(<[f32]>::to_vec).collect()
    }
}

impl<P: LatentPolicy> Policy for Remembering<P> {
    fn name(&self) -> String {
        format!("remembering/{}", self.policy.name())
    }

    fn start_state(&mut self, seed: u64, episode: u64) -> Option<Vec<f32>> {
        self.policy.start_state(seed, episode)
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.memory = Memory::new(self.memory.places(), self.price);
        self.policy.begin(episodes)
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let past = self.observe(rows, seen)?;
        Ok(self.choose(rows, past, Guidance::default())?.decisions)
    }
}

impl<P: LatentPolicy> LatentPolicy for Remembering<P> {
    fn observe(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Option<Past>, PolicyError> {
        self.policy.observe(rows, seen)
    }

    fn goals(&self, rows: &[usize]) -> Option<Latents> {
        self.policy.goals(rows)
    }

    /// What it is told of obstacles takes the place of its own.
    fn choose(&mut self, rows: &[usize], past: Option<Past>, guidance: Guidance) -> Result<Choices, PolicyError> {
        let met = past.as_ref().map(|past| {
            let presences = self.presences(&past.latents.last());
            self.memory.observe(rows, presences);
            let shape = [rows.len(), self.memory.places()];
            Tensor::from_data(TensorData::new(self.memory.obstacles(rows), shape), &self.model.device())
        });
        let guidance = Guidance { obstacles: guidance.obstacles.or(met), ..guidance };
        let choices = self.policy.choose(rows, past, guidance)?;
        if let Some(expected) = &choices.expected {
            self.memory.expect(rows, self.presences(expected));
        }
        Ok(choices)
    }
}
