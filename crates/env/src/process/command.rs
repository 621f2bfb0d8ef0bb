//! The keys of the world, `[env.cmd]`.

use std::collections::BTreeMap;

use prevision_core::config::check::{check, ensure};
use prevision_core::config::{self};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::{Launch, ProcessEnvironment, ProcessWorlds};
use crate::registry::{Purpose, World};
use crate::{EnvError, Environment, Variation, Worlds};

/// The name of this kind of world.
pub const NAME: &str = "cmd";

/// Which process, and how long it is waited for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Command line, split into words as a shell does, with quotes; nothing else of a shell. Also what stands after `cmd:` in
    /// `env.name`.
    pub target: String,
    /// Most seconds for an answer, and between two signs of life. Default 60.
    pub deadline_seconds: f64,
    /// Most seconds until it says what it is. Default 120.
    pub start_seconds: f64,
    /// How often a process that ended is started again, and its episodes brought to where they were. Default 2.
    pub restarts: usize,
    /// Keys for the world's own use, passed on as they are.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub options: Table,
    /// Which of the world's factors vary.
    pub variation: Variation,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: String::new(),
            deadline_seconds: 60.0,
            start_seconds: 120.0,
            restarts: 2,
            options: Table::new(),
            variation: Variation::default(),
        }
    }
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        check_seconds("deadline_seconds", self.deadline_seconds)?;
        check_seconds("start_seconds", self.start_seconds)
    }
}

/// Checks that seconds are ones that can be waited.
pub(crate) fn check_seconds(key: &str, seconds: f64) -> Result<(), String> {
    check(key, seconds).above(0.0)?.at_most(1e6, "")?.done()
}

/// A world behind a process, set up.
#[derive(Debug, Clone)]
pub struct CommandWorld {
    launch: Launch,
}

impl CommandWorld {
    /// Set up by these options.
    ///
    /// # Errors
    /// If the target is no command line.
    pub fn new(options: Options) -> Result<Self, String> {
        let command = shlex::split(&options.target).unwrap_or_default();
        let target = format!("{:?}", options.target);
        ensure(
            !command.is_empty(),
            "target",
            target,
            "a command line, with every quote closed: cmd:python3 my_world.py",
        )?;
        Ok(Self::of(Launch {
            kind: NAME.to_owned(),
            command,
            options: serde_json::to_value(&options.options).map_err(|error| format!("options: {error}"))?,
            purpose: Purpose::Recording,
            rows: 1,
            start_seconds: options.start_seconds,
            deadline_seconds: options.deadline_seconds,
            restarts: options.restarts,
            variation: options.variation,
        }))
    }

    /// A world that is started like this, but for purpose and rows.
    pub(crate) fn of(launch: Launch) -> Self {
        Self { launch }
    }

    fn launch(&self, purpose: Purpose, rows: usize) -> Launch {
        Launch { purpose, rows, ..self.launch.clone() }
    }
}

impl World for CommandWorld {
    fn environment(&self, purpose: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(ProcessEnvironment::start(self.launch(purpose, 1))?))
    }

    fn worlds(&self, purpose: Purpose, rows: usize) -> Result<Box<dyn Worlds>, EnvError> {
        Ok(Box::new(ProcessWorlds::start(self.launch(purpose, rows))?))
    }
}
