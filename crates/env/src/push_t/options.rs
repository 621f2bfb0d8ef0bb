//! The keys of the world, `[env.push-t]`.

use prevision_core::config::{self, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dynamics::Control;
use super::environment::PushT;
use super::expert::Expert;
use super::explorer::Explorer;
use super::factors::{OF_TASKS, factors};
use super::task::Rule;
use super::weak::Weak;
use crate::registry::{Purpose, World};
use crate::{EnvError, Environment, FactorSampler, Policy, Variation};

/// How Push-T is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Pixels of a frame each way. Default 96.
    pub size: usize,
    /// What an action means: a `relative` target (stable-worldmodel) or an `absolute` one (gym-pusht). Default `relative`.
    pub control: Control,
    /// What counts as success: agent and block in the `pose` of the goal (stable-worldmodel) or `coverage` of the green pose (gym-pusht).
    /// Default `pose`.
    pub rule: Rule,
    /// Steps after which an episode of an evaluation ends. Default 200.
    pub max_steps: usize,
    /// What differs between episodes besides the start: `[env.push-t.variation]`.
    pub variation: Variation,
}

impl Default for Options {
    fn default() -> Self {
        let (control, rule) = (Control::default(), Rule::default());
        Self { size: 96, control, rule, max_steps: 200, variation: Variation::default() }
    }
}

impl Options {
    /// The factors of each episode: those that are configured, and starts unless they are set.
    pub(super) fn sampler(&self) -> Result<FactorSampler, String> {
        self.variation.check(&factors())?;
        let mut variation = self.variation.clone();
        variation.vary.extend(OF_TASKS.map(str::to_owned));
        FactorSampler::new(factors(), variation)
    }
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        check("size", self.size as f64).at_least(8.0)?.done()?;
        check("max_steps", self.max_steps as f64).at_least(1.0)?.done()?;
        self.sampler().map(|_| ())
    }
}

/// Push-T, set up.
#[derive(Debug, Clone)]
pub struct PushTWorld {
    options: Options,
    sampler: FactorSampler,
}

impl PushTWorld {
    /// Set up by these options.
    ///
    /// # Errors
    /// The key at fault, below `[env.push-t]`, if the variation names what the world has not.
    pub fn new(options: Options) -> Result<Self, String> {
        let sampler = options.sampler()?;
        Ok(Self { options, sampler })
    }
}

impl World for PushTWorld {
    fn environment(&self, _: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(PushT::new(&self.options, self.sampler.clone())))
    }

    fn policies(&self) -> &[&str] {
        &[Explorer::NAME, Weak::NAME, Expert::NAME]
    }

    fn policy(&self, name: &str, _: usize) -> Option<Box<dyn Policy>> {
        let control = self.options.control;
        match name {
            Explorer::NAME => Some(Box::new(Explorer::new(control))),
            Weak::NAME => Some(Box::new(Weak::new(control))),
            Expert::NAME => Some(Box::new(Expert::new(control, self.options.rule))),
            _ => None,
        }
    }
}
