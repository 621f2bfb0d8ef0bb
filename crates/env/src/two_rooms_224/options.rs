//! The keys of the world, `[env.two-rooms-224]`.

use prevision_core::config::{self, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::environment::TwoRooms224;
use super::guide::{Expert, Explore};
use super::rule::Rule;
use super::task::Tasks;
use crate::registry::{Purpose, World};
use crate::{EnvError, Environment, Policy, Variation};

/// How the world is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Pixels of a frame each way, 16 to 1024. Positions stay in the pixels of a frame of 224. Default 224.
    pub size: usize,
    /// Whether a move is swept against walls, or only its end is looked at, as upstream does. Default `swept`.
    pub rule: Rule,
    /// Where start and goal are. Default `anywhere`.
    pub rooms: Rooms,
    /// Which factors of variation differ between episodes. Start and goal (`agent.position`, `target.position`) always do, unless their
    /// values are set. Default no others.
    pub variation: Variation,
}

/// Where start and goal of a task are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rooms {
    /// Wherever the dot fits, as upstream: half of the tasks stay in one room.
    #[default]
    Anywhere,
    /// In opposite rooms, at least `task.min_steps` steps of the dot's speed apart.
    Opposite,
}

impl Default for Options {
    fn default() -> Self {
        Self { size: 224, rule: Rule::Swept, rooms: Rooms::Anywhere, variation: Variation::default() }
    }
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        check("size", self.size as f64).within(16.0, 1024.0)?;
        Tasks::new(&self.variation, self.rooms).map(|_| ())
    }
}

/// The world, set up.
#[derive(Debug, Clone)]
pub struct TwoRooms224World {
    environment: TwoRooms224,
}

impl TwoRooms224World {
    /// Set up by these options.
    ///
    /// # Errors
    /// The key at fault, below `[env.two-rooms-224]`.
    pub fn new(options: &Options) -> Result<Self, String> {
        Ok(Self { environment: TwoRooms224::new(options)? })
    }
}

impl World for TwoRooms224World {
    fn environment(&self, _: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(self.environment.clone()))
    }

    fn policies(&self) -> &[&str] {
        &[Explore::NAME, Expert::NAME, Expert::NOISY]
    }

    fn policy(&self, name: &str, _steps: usize) -> Option<Box<dyn Policy>> {
        match name {
            Explore::NAME => Some(Box::new(Explore::default())),
            Expert::NAME => Some(Box::new(Expert::new())),
            Expert::NOISY => Some(Box::new(Expert::noisy())),
            _ => None,
        }
    }
}
