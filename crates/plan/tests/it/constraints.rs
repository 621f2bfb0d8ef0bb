//! A constraint of one's own, by its name in the configuration.

use std::collections::BTreeSet;

use burn::prelude::*;
use prevision_core::config::{Options, Part};
use prevision_env::Worlds;
use prevision_plan::constraint::{Constraint, built_in_constraints};
use prevision_plan::cost::{CostContext, Imagined, Measure, Scene};
use prevision_plan::{Moment, Parts, PlanConfig, Watch, WatchError, run_episodes, setup};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::corridor::{Corridor, Exact};

/// Cells that may not be entered.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Below {
    /// The first of them.
    cell: f64,
}

impl Options for Below {}

impl Constraint for Below {
    fn prepare(&self, _: &Scene) -> Result<Box<dyn Measure>, String> {
        Ok(Box::new(self.clone()))
    }
}

impl Measure for Below {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let [rows, samples, ..] = imagined.actions.dims();
        let farthest = imagined.latents.tokens.clone().flatten::<2>(1, 3).max_dim(1);
        farthest.reshape([rows, samples]) + 1.0 - self.cell
    }
}

/// Sees to it that an agent below a cell stays there.
#[derive(Default)]
struct Border {
    cell: f32,
    /// Episodes that have been below it.
    below: BTreeSet<usize>,
}

impl Watch for Border {
    fn moment(&mut self, _: &dyn Worlds, moment: &Moment<'_>) -> Result<(), WatchError> {
        let at = moment.now.state.as_ref().ok_or("no state")?[0];
        if at < self.cell {
            self.below.insert(moment.episode);
        } else if self.below.contains(&moment.episode) {
            return Err(format!("episode {} is at {at}", moment.episode).into());
        }
        Ok(())
    }
}

fn parts() -> Parts {
    let below = |keys: Below, _: &CostContext| Ok(Box::new(keys) as Box<dyn Constraint>);
    Parts { constraints: built_in_constraints().with("below", below), ..Parts::default() }
}

#[test]
fn no_plan_enters_what_is_forbidden() {
    let text = "horizon = 5\nmax_steps = 12\nvideos = 50\n[constraints.below]\ncell = 5";
    let mut config: PlanConfig = toml::from_str(text).unwrap();
    for kind in ["random", "cem", "icem", "mppi"] {
        config.solver = Part::new(kind).with("samples", 400);
        let mut worlds = Corridor::rows(10, Corridor::new);
        let spec = worlds[0].spec().clone();
        let mut policy = setup::policy(&config, &parts(), Exact::new(1, false), &spec).unwrap();
        let mut border = Border { cell: 5.0, ..Border::default() };
        let results = run_episodes(&mut worlds, policy.as_mut(), &config.rules(3), &mut border).unwrap();
        // Some goals are on this side, some beyond: there the agent waits at the border.
        let waits = results.per_episode.iter().filter(|trial| !trial.success && trial.steps == 12).count();
        assert!(waits > 5 && results.successes > 5, "{kind}: {waits} {}", results.successes);
    }
}

#[test]
fn keys_of_a_constraint_are_checked() {
    let constraints = "below = { cel = 1 }".parse().unwrap();
    let config = PlanConfig { constraints, ..PlanConfig::default() };
    let spec = Corridor::rows(1, Corridor::new)[0].spec().clone();
    let message = setup::policy(&config, &parts(), Exact::new(1, false), &spec).err().unwrap().to_string();
    assert!(message.contains("did you mean `plan.constraints.below.cell`?"), "{message}");
}
