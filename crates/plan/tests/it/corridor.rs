//! A world of one dimension, discrete actions and a drawn strip, and a model that knows it by heart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::prelude::*;
use prevision_core::{Action, Camera, FrameBuffer, Normalise, Observations, Space, Spaces, seed};
use prevision_env::{EnvError, Environment, EnvironmentSpec, Goal, TimeStep};
use prevision_model::{Distance, Latents, ModelSpec, ObservationBatch, Past, SlowModel, WorldModel};
use rand::Rng;

/// Cells.
pub(crate) const LENGTH: usize = 10;

/// Cells in a row or in a ring. Actions: one cell down, stay, one cell up.
pub(crate) struct Corridor {
    spec: EnvironmentSpec,
    ring: bool,
    /// A cell that cannot be entered, which nobody sees.
    blocked: Option<usize>,
    at: usize,
    goal: usize,
}

impl Corridor {
    pub(crate) fn new() -> Self {
        let spaces = Spaces { frames: 1, ..spaces(1) };
        let unit = Some("cells".to_owned());
        let spec = EnvironmentSpec {
            name: "corridor".to_owned(),
            spaces,
            max_steps: 30,
            unit,
            rewards: true,
            ..EnvironmentSpec::default()
        };
        Self { spec, ring: false, blocked: None, at: 0, goal: 0 }
    }

    /// A ring with a cell that cannot be entered.
    pub(crate) fn ring(blocked: usize) -> Self {
        Self { ring: true, blocked: Some(blocked), ..Self::new() }
    }

    /// Several worlds side by side.
    pub(crate) fn rows(count: usize, world: fn() -> Self) -> Vec<Box<dyn Environment>> {
        (0..count).map(|_| Box::new(world()) as Box<dyn Environment>).collect()
    }

    fn moment(&self, reward: f64) -> TimeStep {
        let apart = self.at.abs_diff(self.goal);
        let distance = if self.ring { apart.min(LENGTH - apart) } else { apart };
        TimeStep {
            observations: strip(self.at),
            state: Some(vec![self.at as f32]),
            reward,
            terminated: distance == 0,
            success: distance == 0,
            distance: Some(distance as f64),
            ..TimeStep::default()
        }
    }
}

/// The streams, with blocks of `frame_step` actions.
fn spaces(frame_step: usize) -> Spaces {
    Spaces {
        frames: 4,
        frame_step,
        cameras: BTreeMap::from([("strip".to_owned(), Camera { height: 1, width: LENGTH })]),
        action: Some(Space::Discrete { count: 3 }),
        state: Some(1),
        ..Spaces::default()
    }
}

fn strip(at: usize) -> Observations {
    let mut frames = FrameBuffer::new(1, 1, LENGTH);
    frames.data[3 * at] = 255;
    Observations::of_camera("strip", frames)
}

impl Environment for Corridor {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        let mut rng = seed::rng(seed, "corridor", 0, 0);
        (self.at, self.goal) = match self.blocked {
            // The short way leads over the blocked cell.
            Some(blocked) => ((blocked + LENGTH - 2) % LENGTH, (blocked + 1) % LENGTH),
            None => (rng.random_range(0..LENGTH), rng.random_range(0..LENGTH)),
        };
        Ok(self.moment(0.0))
    }

    fn reset_to(&mut self, _seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        (self.at, self.goal) = (state[0] as usize, state[1] as usize);
        Ok(self.moment(0.0))
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let Action::Choice(choice) = action else { panic!("{action:?} is no choice") };
        let to = self.at as i64 + choice as i64 - 1;
        let last = LENGTH as i64 - 1;
        let to = if self.ring { to.rem_euclid(last + 1) } else { to.clamp(0, last) };
        let to = to as usize;
        if Some(to) != self.blocked {
            self.at = to;
        }
        Ok(self.moment(-1.0))
    }

    fn goal(&self) -> Option<Goal> {
        Some(Goal { observations: Some(strip(self.goal)), state: Some(vec![self.goal as f32]), route: None })
    }
}

/// Knows the dynamics, but not of a blocked cell. A latent is the number of the cell.
pub(crate) struct Exact {
    spec: ModelSpec,
    ring: bool,
    /// A slower model of the ring, which knows of the blocked cell.
    slower: Option<Strides>,
    /// Rollouts so far.
    pub(crate) rollouts: AtomicUsize,
}

impl Exact {
    /// For blocks of `frame_step` actions.
    pub(crate) fn new(frame_step: usize, ring: bool) -> Arc<Self> {
        let normalise = Normalise { mean: [0.0; 3], std: [1.0; 3] };
        let spec = ModelSpec::of_vectors(&spaces(frame_step), &normalise, 1);
        Arc::new(Self { spec, ring, slower: None, rollouts: AtomicUsize::new(0) })
    }

    /// On the ring, with a slower model of strides of 3 actions that knows of the blocked cell.
    pub(crate) fn with_strides(blocked: usize) -> Arc<Self> {
        let exact = Arc::into_inner(Self::new(1, true)).expect("nobody else has it");
        Arc::new(Self { slower: Some(Strides { blocked }), ..exact })
    }
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().unwrap()
}

impl WorldModel for Exact {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn device(&self) -> Device {
        Device::flex()
    }

    fn encode(&self, seen: &ObservationBatch) -> Latents {
        let video = seen.only_camera().clone().into_tensor();
        let [rows, _, moments, _, _] = video.dims();
        let red = host(video.narrow(1, 0, 1));
        let cell = |strip: &[f32]| strip.iter().enumerate().map(|(cell, red)| red * cell as f32).sum::<f32>().round();
        let cells = red.chunks_exact(LENGTH).map(cell);
        let cells = TensorData::new(cells.collect::<Vec<f32>>(), [rows, moments, 1, 1]);
        Latents::new(Tensor::from_data(cells, &Device::flex()))
    }

    fn imagine(&self, past: &Past, actions: Tensor<4>) -> Latents {
        let [rows, samples, steps, width] = actions.dims();
        self.rollouts.fetch_add(rows * samples, Ordering::Relaxed);
        let (start, actions) = (host(past.latents.last().tokens), host(actions));
        let mut cells = Vec::with_capacity(rows * samples * steps);
        for (rollout, sequence) in actions.chunks_exact(steps * width).enumerate() {
            let mut at = start[rollout / samples];
            for block in sequence.chunks_exact(width) {
                for raw in block.chunks_exact(3) {
                    at += raw[2] - raw[0];
                    let last = LENGTH as f32;
                    at = if self.ring { at.rem_euclid(last) } else { at.clamp(0.0, last - 1.0) };
                }
                cells.push(at);
            }
        }
        let cells = TensorData::new(cells, [rows * samples, steps, 1, 1]);
        Latents::new(Tensor::from_data(cells, &Device::flex()))
    }

    fn distance(&self) -> Option<&dyn Distance> {
        self.ring.then_some(&Ring as &dyn Distance)
    }

    fn levels(&self) -> Vec<&dyn SlowModel> {
        self.slower.iter().map(|slower| slower as &dyn SlowModel).collect()
    }

    fn readout(&self, name: &str, latents: &Latents) -> Option<Tensor<3>> {
        let cells = latents.vectors();
        (name == "position").then(|| Tensor::cat(vec![cells.clone(), cells.zeros_like()], 2))
    }
}

/// Three actions at once on the ring.
struct Strides {
    blocked: usize,
}

impl SlowModel for Strides {
    fn stride(&self) -> usize {
        3
    }

    fn leap(&self, from: Tensor<3>, actions: Tensor<4>) -> Tensor<3> {
        let [_, samples, ..] = actions.dims();
        let (start, actions) = (host(from), host(actions));
        let led = actions.chunks_exact(9).enumerate().map(|(row, sequence)| {
            sequence.chunks_exact(3).fold(start[row / samples], |at, raw| {
                let to = (at + raw[2] - raw[0]).rem_euclid(LENGTH as f32);
                if to as usize == self.blocked { at } else { to }
            })
        });
        let led: Vec<f32> = led.collect();
        let rows = led.len();
        Tensor::from_data(TensorData::new(led, [rows, 1, 1]), &Device::flex())
    }
}

/// Steps along a ring, the shorter way; leaving a cell takes its obstacles beside.
struct Ring;

impl Distance for Ring {
    fn starts(&self, latents: Tensor<3>) -> Tensor<2> {
        let [count, ..] = latents.dims();
        let presence = host(latents)
            .into_iter()
            .flat_map(|at| (0..LENGTH).map(move |cell| f32::from(u8::from(cell as f32 == at))));
        Tensor::from_data(TensorData::new(presence.collect::<Vec<f32>>(), [count, LENGTH]), &Device::flex())
    }

    fn goals(&self, latents: Tensor<3>, obstacles: Option<Tensor<2>>) -> Tensor<2> {
        let goals = host(latents);
        let obstacles = obstacles.map_or_else(|| vec![0.0; goals.len() * LENGTH], host);
        let mut field = Vec::new();
        for (goal, obstacles) in goals.iter().zip(obstacles.chunks_exact(LENGTH)) {
            let way = |from: usize, step: usize| {
                let (mut at, mut steps) = (from, 0.0);
                while at as f32 != *goal {
                    steps += 1.0 + obstacles[at];
                    at = (at + step) % LENGTH;
                }
                steps
            };
            field.extend((0..LENGTH).map(|from| way(from, 1).min(way(from, LENGTH - 1))));
        }
        Tensor::from_data(TensorData::new(field, [goals.len(), LENGTH]), &Device::flex())
    }

    fn between(&self, starts: Tensor<3>, goals: Tensor<2>) -> Tensor<2> {
        let [rows, count, _] = starts.dims();
        starts.matmul(goals.unsqueeze_dim(2)).reshape([rows, count])
    }

    fn places(&self) -> Option<usize> {
        Some(LENGTH)
    }
}
