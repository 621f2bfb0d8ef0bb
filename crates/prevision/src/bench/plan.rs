//! One plan of one episode, from pixels to actions.

use std::path::Path;

use anyhow::{Context as _, Result};
use burn::tensor::Device;
use prevision_core::config::Part;
use prevision_core::{FrameBuffer, Observations, Space, Spaces};
use prevision_env::{EnvironmentSpec, Goal, Policy as _, Start, TimeStep};
use prevision_kernels::operations_so_far;
use prevision_plan::{MemoryConfig, PlanConfig, setup};

use super::step::{clips, two_rooms_experiment, two_rooms_spaces};
use super::work::Work;
use crate::{Experiment, Parts, Usage};

/// The sizes of `eb_jepa`'s planning on Two Rooms (`examples/ac_video_jepa`), and its cost.
const GRU: &str = r#"
[data]
frames = 9
[data.source]
kind = "episodes"
path = "episodes"
[model.encoder]
kind = "impala"
dim = 512
[model.predictor]
kind = "gru"
[train]
steps = 1
[plan]
initial_std = 1.5
"#;

/// The sizes of LeWM's planning on Push-T (arXiv 2603.19312): one latent of 192 numbers a frame, of which a transformer sees the last three.
const LEWM: &str = r#"
[data]
frames = 4
[data.source]
kind = "episodes"
path = "episodes"
[model.encoder]
kind = "vit"
patch = 14
width = 192
depth = 12
heads = 3
positions = "learned"
epsilon = 1e-12
pool = "class"
projector = 2048
dim = 192
[model.predictor]
kind = "lewm"
[objective.prediction]
rollout_steps = 3
[train]
steps = 1
[plan]
initial_std = 1.0
[plan.costs.latent]
weight = 1
steps = "last"
"#;

/// The model of a shipped experiment, 5 steps.
pub(super) fn two_rooms(device: &Device) -> Result<Work> {
    let experiment = two_rooms_experiment()?;
    let solver = Part::new("cem").with("samples", 300).with("elites", 30).with("iterations", 10);
    let config =
        PlanConfig { solver, horizon: 5, execute: 1, memory: MemoryConfig::default(), ..experiment.plan.clone() };
    work(&experiment, &config, two_rooms_spaces(), Space::Ball { dim: 2, radius: 1.0 }, device)
}

/// The networks of `eb_jepa`, with a tenth of the samples as elites, 20 at most.
pub(super) fn gru(device: &Device, horizon: usize, samples: i64, iterations: i64) -> Result<Work> {
    let experiment = Experiment::parse(GRU, Path::new("bench.toml"), &[], &Parts::built_in())?;
    let elites = (samples / 10).min(20);
    let solver = Part::new("cem").with("samples", samples).with("elites", elites).with("iterations", iterations);
    let config = PlanConfig { solver, horizon, execute: 1, ..experiment.plan.clone() };
    work(&experiment, &config, two_rooms_spaces(), Space::Ball { dim: 2, radius: 2.45 }, device)
}

/// The networks of LeWM, 5 actions of 10 numbers, 300 samples, 30 iterations.
pub(super) fn lewm(device: &Device) -> Result<Work> {
    let experiment = Experiment::parse(LEWM, Path::new("bench.toml"), &[], &Parts::built_in())?;
    let solver = Part::new("cem").with("samples", 300).with("elites", 30).with("iterations", 30);
    let config = PlanConfig { solver, horizon: 5, execute: 5, ..experiment.plan.clone() };
    let action = Space::Unbounded { dim: 10 };
    work(&experiment, &config, Spaces { action: Some(action.clone()), ..clips(4, 224) }, action, device)
}

/// One plan with untrained weights, of a model for these spaces, in a world that shows noise and takes these actions.
fn work(experiment: &Experiment, config: &PlanConfig, spaces: Spaces, action: Space, device: &Device) -> Result<Work> {
    let parts = Parts::built_in();
    let task = experiment.task(&parts).map_err(Usage)?;
    let fresh = task.untrained(&spaces, &experiment.data.normalise, experiment.seed, device).map_err(Usage)?;
    let model = fresh.world_model.context("the experiment plans")?;
    let spec = EnvironmentSpec {
        name: "noise".to_owned(),
        spaces: Spaces { frames: 1, action: Some(action), ..spaces },
        max_steps: 1,
        ..EnvironmentSpec::default()
    };
    let mut planner = setup::planner(config, &parts.plan, model, &spec)?;
    let first = TimeStep { observations: noise(&spec.spaces, 1), ..TimeStep::default() };
    let goal = Goal { observations: Some(noise(&spec.spaces, 2)), ..Goal::default() };
    let mut run = move || {
        let start = Start { seed: 0, episode: 0, first: &first, goal: Some(&goal), watched: false };
        let planned = planner.begin(&[start]).and_then(|()| planner.act(&[0], &[&first]));
        drop(planned);
    };
    let before = operations_so_far();
    run();
    Ok(Work { flops: Some(operations_so_far() - before), run: Box::new(run) })
}

/// One moment of noise.
fn noise(spaces: &Spaces, seed: u32) -> Observations {
    let mut observations = Observations::default();
    let mut state = seed;
    for (name, camera) in &spaces.cameras {
        let mut frame = FrameBuffer::new(1, camera.height, camera.width);
        frame.data.fill_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        observations.cameras.insert(name.clone(), frame);
    }
    observations
}
