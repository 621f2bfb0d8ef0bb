//! The keys of the world, `[env.gym]`.

use std::collections::BTreeMap;

use prevision_core::config;
use prevision_core::config::check::{ensure, positive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use toml::Table;

use super::rules::{check_goal, check_success};
use crate::process::{CommandWorld, Launch, check_seconds};
use crate::registry::{Purpose, World};
use crate::{EnvError, Environment, Variation, Worlds};

/// The name of this kind of world.
pub const NAME: &str = "gym";

/// The worker, and the module that it imports. Python is given both as text, so that no file has to be found.
const WORKER: &str = include_str!("../../python/gym_world.py");
const MODULE: &str = include_str!("../../python/prevision_world.py");
const BEGIN: &str = "import sys, types
module = sys.modules['prevision_world'] = types.ModuleType('prevision_world')
exec(compile(sys.argv[1], 'prevision_world.py', 'exec'), module.__dict__)
exec(compile(sys.argv[2], 'gym_world.py', 'exec'), {'__name__': '__main__'})";

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    /// The pictures of the observation itself.
    AsIs,
    /// What the environment draws.
    Rendered,
}

/// Size of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Size {
    /// As many pixels each way.
    Square(usize),
    /// Height and width.
    Sides([usize; 2]),
}

/// Which environment, and what is made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// `ID` or `MODULE:ID`, in Gymnasium's own spelling. Also what stands after `gym:` in `env.name`.
    pub target: String,
    /// Arguments of the environment, `gymnasium.make(ID, **args)`.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub args: Table,
    /// The Python that has gymnasium, with arguments of its own if need be. Default `python3`.
    pub python: String,
    /// What is shown. Unset: the pictures of the observation if it has any of bytes, of 16 by 16 pixels at least; what the
    /// environment draws otherwise.
    pub observation: Option<Observation>,
    /// Pixels of a frame: one number for both sides, or height and width; each new pixel is the mean of what it covers. Unset: as
    /// they are.
    pub size: Option<Size>,
    /// Whether actions are numbers from -1 to 1 that stand for the whole range of what the environment takes. A model learns more easily
    /// from numbers of this size than from pixels of hundreds.
    pub rescale: bool,
    /// Steps after which an episode is cut short. Unset: what the environment is registered with, or else 200 when plans are judged.
    pub max_steps: Option<usize>,
    /// Whether each episode is an environment of its own: for those whose `reset` does not forget all that was.
    pub fresh: bool,
    /// What an episode is to reach: `none`, `image:FILE`, `info:KEY` (of the first moment), `recording:FOLDER:ROW`, or `sampler`
    /// (where random actions lead from another start). Default `none`.
    pub goal: String,
    /// Random actions to a sampled goal. Default 50.
    pub goal_steps: usize,
    /// When the goal is reached: `none` (never), `terminated`, `info:KEY`, `return>=NUMBER` (rewards so far), or `state<=NUMBER`
    /// (Euclidean distance to the state of the goal). Default `none`.
    pub success: String,
    /// Most seconds for an answer. Default 60.
    pub deadline_seconds: f64,
    /// Most seconds until all environments are made. Default 120.
    pub start_seconds: f64,
    /// How often Python is started again when it ended, and its episodes brought to where they were. Default 2.
    pub restarts: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: String::new(),
            args: Table::new(),
            python: "python3".to_owned(),
            observation: None,
            size: None,
            rescale: false,
            max_steps: None,
            fresh: false,
            goal: "none".to_owned(),
            goal_steps: 50,
            success: "none".to_owned(),
            deadline_seconds: 60.0,
            start_seconds: 120.0,
            restarts: 2,
        }
    }
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        check_seconds("deadline_seconds", self.deadline_seconds)?;
        check_seconds("start_seconds", self.start_seconds)?;
        positive("goal_steps", self.goal_steps)?;
        self.max_steps.map_or(Ok(()), |steps| positive("max_steps", steps))?;
        self.sides().map_or(Ok(()), |sides| sides.into_iter().try_for_each(|side| positive("size", side)))?;
        check_goal(&self.goal)?;
        check_success(&self.success, &self.goal)
    }
}

impl Options {
    /// Height and width of frames, if they are brought to one size.
    fn sides(&self) -> Option<[usize; 2]> {
        self.size.map(|size| match size {
            Size::Square(side) => [side; 2],
            Size::Sides(sides) => sides,
        })
    }
}

/// An environment of Gymnasium, set up.
#[derive(Debug, Clone)]
pub struct GymWorld {
    process: CommandWorld,
}

impl GymWorld {
    /// Set up by these options.
    ///
    /// # Errors
    /// If no environment is named, or `python` is no command line.
    pub fn new(options: Options) -> Result<Self, String> {
        let name = options.target.rsplit(':').next().unwrap_or_default();
        ensure(!name.is_empty(), "target", format_args!("{:?}", options.target), "ID or MODULE:ID: gym:CartPole-v1")?;
        let mut command = shlex::split(&options.python).unwrap_or_default();
        ensure(
            !command.is_empty(),
            "python",
            format_args!("{:?}", options.python),
            "a command line, with every quote closed",
        )?;
        command.extend(["-c", BEGIN, MODULE, WORKER].map(str::to_owned));
        let keys = json!({
            "target": options.target,
            "args": options.args,
            "observation": options.observation,
            "size": options.sides(),
            "max_steps": options.max_steps,
            "rescale": options.rescale,
            "fresh": options.fresh,
            "goal": options.goal,
            "goal_steps": options.goal_steps,
            "success": options.success,
        });
        let launch = Launch {
            kind: NAME.to_owned(),
            command,
            options: keys,
            purpose: Purpose::Recording,
            rows: 1,
            start_seconds: options.start_seconds,
            deadline_seconds: options.deadline_seconds,
            restarts: options.restarts,
            variation: Variation::default(),
        };
        Ok(Self { process: CommandWorld::of(launch) })
    }
}

impl World for GymWorld {
    fn environment(&self, purpose: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        self.process.environment(purpose)
    }

    fn worlds(&self, purpose: Purpose, rows: usize) -> Result<Box<dyn Worlds>, EnvError> {
        self.process.worlds(purpose, rows)
    }
}
