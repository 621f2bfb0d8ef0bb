//! Tasks that are frozen in a file, so that everybody is judged on the same ones.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use prevision_core::{seed, whole_file};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::Table;

use crate::registry::EnvConfig;
use crate::{EnvError, Goal, TimeStep, Worlds};

/// The layout of the file.
const FORMAT: &str = "prevision-tasks-1";
/// Episodes that are looked at for each task that is wanted, before it is said that there are too few.
const LOOKED_AT: usize = 1_000;
/// By how much a number of a state may differ from that in the file, as a share of it: what is left of rounding on another machine.
const ROUNDING: f32 = 1e-4;

/// A frozen list of tasks in a world.
///
/// A task is an episode of the world: its seed gives start and goal. Both are written down as well, and compared when the task is used,
/// so that a world that has changed is noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The layout of the file, `prevision-tasks-1`.
    pub format: String,
    /// Name under which the world is registered.
    pub world: String,
    /// The world's keys, every default in place.
    pub env: Table,
    /// Name of the rule by which the world moves, where it offers several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Unit of all distances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The seed that the tasks were drawn with.
    pub seed: u64,
    /// Steps in an episode.
    pub max_steps: usize,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// SHA-256 of all of the above as JSON without spaces, in hexadecimal digits.
    pub sha256: String,
}

/// One task of a [`Manifest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The seed of its episode, which the world is reset with.
    pub seed: u64,
    /// The state at the start, if the world tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Vec<f32>>,
    /// The state at the goal, if the world tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Vec<f32>>,
    /// Distance from start to goal, in the unit of the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
    /// Length of the shortest legal route, in the unit of the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<f64>,
    /// Whether it is solved before the first step: such tasks are no trials.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub solved_at_start: bool,
}

/// Which tasks are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TaskOptions {
    /// How many.
    pub count: usize,
    /// They are drawn with this seed.
    pub seed: u64,
    /// The least and the largest length of the shortest legal route, in the unit of the world.
    pub route: [f64; 2],
}

/// The seed of an episode's task, a function of the run's seed and the episode's number alone.
pub fn task_seed(seed: u64, episode: usize) -> u64 {
    seed::rng(seed, "plan-task", 0, episode as u64).next_u64()
}

impl Task {
    fn of(seed: u64, first: &TimeStep, goal: Option<&Goal>) -> Self {
        Self {
            seed,
            start: first.state.clone(),
            goal: goal.and_then(|goal| goal.state.clone()),
            distance: first.distance,
            route: goal.and_then(|goal| goal.route),
            solved_at_start: first.success,
        }
    }

    /// Checks that an episode that begins is this task.
    ///
    /// # Errors
    /// What differs, with both values.
    pub fn check(&self, first: &TimeStep, goal: Option<&Goal>) -> Result<(), String> {
        let goal = goal.and_then(|goal| goal.state.as_ref());
        for (what, known, found) in
            [("starts", self.start.as_ref(), first.state.as_ref()), ("has its goal", self.goal.as_ref(), goal)]
        {
            let same = match (known, found) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(known), Some(found)) => {
                    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= ROUNDING * (1.0 + a.abs());
                    known.len() == found.len() && known.iter().zip(found).all(near)
                }
            };
            if !same {
                return Err(format!(
                    "the world {what} at {found:?} with seed {}, but the list of tasks says {known:?}: the world, or its keys, have changed",
                    self.seed
                ));
            }
        }
        Ok(())
    }
}

impl Manifest {
    /// Draws tasks of worlds that were made by this configuration, every default in place. Those whose route lies outside of the wanted lengths are left out.
    ///
    /// # Errors
    /// When the world fails, has no goals, or too few tasks have such routes.
    pub fn draw(worlds: &mut dyn Worlds, config: &EnvConfig, options: &TaskOptions) -> Result<Self, EnvError> {
        let spec = worlds.spec().clone();
        let mut tasks = Vec::new();
        let any = options.route == [0.0, f64::INFINITY];
        for episode in 0..options.count.saturating_mul(if any { 1 } else { LOOKED_AT }) {
            if tasks.len() == options.count {
                break;
            }
            let seed = task_seed(options.seed, episode);
            let first = worlds.reset(0, seed, None)?;
            let Some(goal) = worlds.goal(0) else {
                return Err(EnvError::Unsupported { world: spec.name, what: "give a goal, and so has no tasks" });
            };
            let task = Task::of(seed, &first, Some(&goal));
            let wanted = match task.route {
                _ if any => true,
                Some(route) => (options.route[0]..=options.route[1]).contains(&route),
                None => return Err(EnvError::Unsupported { world: spec.name, what: "tell the length of routes" }),
            };
            if wanted {
                tasks.push(task);
            }
        }
        if tasks.len() < options.count {
            let [low, high] = options.route;
            let source = format!("{} of {} tasks have a route of {low} to {high}", tasks.len(), options.count).into();
            return Err(EnvError::Failed { world: spec.name, source });
        }
        let mut manifest = Self {
            format: FORMAT.to_owned(),
            world: config.kind().to_owned(),
            env: config.keys().unwrap_or_default(),
            rule: spec.rule,
            unit: spec.unit,
            seed: options.seed,
            max_steps: spec.max_steps,
            tasks,
            sha256: String::new(),
        };
        manifest.sha256 = manifest.digest();
        Ok(manifest)
    }

    /// The world and its keys.
    pub fn config(&self) -> EnvConfig {
        EnvConfig::of(&self.world, self.env.clone())
    }

    /// The hash of its content.
    fn digest(&self) -> String {
        let content = Self { sha256: String::new(), ..self.clone() };
        let text = serde_json::to_vec(&content).expect("numbers, text and tables are JSON");
        Sha256::digest(&text).iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Reads a file and checks its hash.
    ///
    /// # Errors
    /// When it cannot be read, is no list of tasks, or does not have the content that its hash was made of.
    pub fn read(path: &Path) -> Result<Self, EnvError> {
        let text = std::fs::read_to_string(path).map_err(|source| EnvError::Io { path: path.to_owned(), source })?;
        let invalid = |message: String| EnvError::Tasks { path: path.to_owned(), message };
        let manifest: Self = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(invalid(format!("format is {}, expected {FORMAT}", manifest.format)));
        }
        if manifest.tasks.is_empty() {
            return Err(invalid("it has no tasks".to_owned()));
        }
        let found = manifest.digest();
        if found != manifest.sha256 {
            return Err(invalid(format!(
                "sha256 is {}, but the content has {found}: it was changed after it was frozen",
                manifest.sha256
            )));
        }
        Ok(manifest)
    }

    /// Writes it, a task a line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), EnvError> {
        let io_error = |source| EnvError::Io { path: path.to_owned(), source };
        let json = |value: &Task| serde_json::to_string(value).expect("numbers are JSON");
        let rows: Vec<String> = self.tasks.iter().map(json).collect();
        let head = serde_json::to_string(&Self { tasks: Vec::new(), ..self.clone() }).expect("as above");
        let text = head.replace("\"tasks\":[]", &format!("\"tasks\":[\n{}\n]", rows.join(",\n")));
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(io_error)?;
        }
        whole_file::write(path, text + "\n").map_err(io_error)
    }
}

/// Where a list of tasks came from, as results tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskSource {
    /// The file.
    pub file: PathBuf,
    /// Its hash.
    pub sha256: String,
}
