//! A world, a format of its recorded episodes, and the verb that writes it.
//!
//! The world is a strip of 16 cells. The agent steps left, stays or steps right, and is to stand in the cell of the goal. A recorded
//! episode is a line of numbers: `cell choice cell choice … cell`.

use std::path::{Path, PathBuf};

use prevision::anyhow::{Error, Result};
use prevision::{clap, prelude::*};
use rand::Rng;

const CELLS: usize = 16;

/// The keys of `[env.strip]`.
#[derive(Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Whether the ends of the strip meet. Default false.
    ring: bool,
}

impl Options for Keys {}

struct Strip {
    spec: EnvironmentSpec,
    ring: bool,
    at: usize,
    goal: usize,
}

pub fn strip(keys: Keys) -> Result<impl World, String> {
    Ok(move || Strip { spec: spec(), ring: keys.ring, at: 0, goal: 0 })
}

fn spec() -> EnvironmentSpec {
    let cameras = [("strip".into(), Camera { height: 4, width: 2 * CELLS })].into();
    let spaces = Spaces { cameras, action: Some(Space::Discrete { count: 3 }), state: Some(1), ..Spaces::default() };
    EnvironmentSpec { name: "strip".into(), spaces, max_steps: 40, unit: Some("cells".into()), ..Default::default() }
}

/// What is seen of an agent in a cell: white on black.
fn draw(cell: usize) -> FrameBuffer {
    let mut frame = FrameBuffer::new(1, 4, 2 * CELLS);
    frame.data.chunks_exact_mut(6 * CELLS).for_each(|row| row[6 * cell..][..6].fill(255));
    frame
}

impl Strip {
    fn now(&self) -> TimeStep {
        let observations = Observations::of_camera("strip", draw(self.at));
        let (state, distance) = (Some(vec![self.at as f32]), Some(self.at.abs_diff(self.goal) as f64));
        TimeStep { observations, state, distance, success: self.at == self.goal, ..TimeStep::default() }
    }
}

impl Environment for Strip {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        let mut rng = seed::rng(seed, "strip", 0, 0);
        (self.at, self.goal) = (rng.random_range(0..CELLS), rng.random_range(0..CELLS));
        Ok(self.now())
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let Action::Choice(choice) = action else { return Ok(self.now()) };
        let to = self.at + CELLS + choice - 1;
        self.at = if self.ring { to % CELLS } else { to.clamp(CELLS, 2 * CELLS - 1) - CELLS };
        Ok(self.now())
    }

    fn goal(&self) -> Option<Goal> {
        Some(Goal { observations: Some(Observations::of_camera("strip", draw(self.goal))), ..Goal::default() })
    }
}

pub fn open(at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
    let text = std::fs::read_to_string(at).map_err(|source| DataError::Io { path: at.into(), source })?;
    let numbers = |line: &str| line.split(' ').map(str::parse).collect::<Result<Vec<f32>, _>>();
    let walks: Result<Vec<Vec<f32>>, _> = text.lines().map(numbers).collect();
    let walks = walks.map_err(|_| DataError::Format { path: at.into(), message: "a walk is numbers".into() })?;
    let column = |first: usize| {
        let pairs = walks.iter().flat_map(|walk| walk.chunks(2)); // the last one has no choice
        let data: Vec<f32> = pairs.map(|pair| *pair.get(first).unwrap_or(&f32::NAN)).collect();
        Array2 { rows: data.len(), columns: 1, data }
    };
    let columns = [("state".into(), column(0)), ("action".into(), column(1))].into();
    let lengths = walks.iter().map(|walk| walk.len().div_ceil(2)).collect();
    let frames = move |_: &str, episode: usize, moments: &[usize]| {
        let data = moments.iter().flat_map(|moment| draw(walks[episode][2 * moment] as usize).data).collect();
        Ok(FrameBuffer { data, frames: moments.len(), ..draw(0) })
    };
    Ok(Box::new(EpisodesInMemory { lengths, spaces: spec().spaces, columns, frames }))
}

/// Write random walks along the strip as text
#[derive(clap::Args)]
pub struct WalksArgs {
    /// The file to write, NAME.walks
    out: PathBuf,
}

pub fn write(_: &App, args: &WalksArgs) -> Result<()> {
    let mut strip = strip(Keys::default()).map_err(Error::msg)?.environment(Purpose::Recording)?;
    let mut text = String::new();
    for walk in 0..200 {
        let (mut now, mut rng) = (strip.reset(walk)?, seed::rng(0, "walk", 0, walk));
        for _ in 0..20 {
            let choice = rng.random_range(0..3);
            text += &format!("{} {choice} ", now.state.unwrap_or_default()[0]);
            now = strip.step(Action::Choice(choice))?;
        }
        text += &format!("{}\n", now.state.unwrap_or_default()[0]);
    }
    Ok(whole_file::write(&args.out, text)?)
}
