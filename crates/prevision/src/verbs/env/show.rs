//! `prevision env show`: what is known of a world.

use std::fmt::Write as _;

use anyhow::Result;
use prevision_core::Spaces;
use prevision_env::registry::Purpose;
use prevision_env::{EnvironmentSpec, Factor, Random, Smooth};
use serde::Serialize;
use toml::Table;

use super::Chosen;
use crate::app::App;
use crate::{Output, Usage};

/// What a world shows and takes, when it is solved, what can vary in it, who can act in it, and its keys
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    output: Output,
}

/// What is known of a world.
#[derive(Serialize)]
struct Shown {
    name: String,
    spaces: Spaces,
    max_steps: usize,
    unit: Option<String>,
    rewards: bool,
    rule: Option<String>,
    /// Whether the first task has a goal, and whether that shows something.
    goal: bool,
    goal_observations: bool,
    policies: Vec<String>,
    factors: Vec<Factor>,
    /// The keys with their values.
    keys: Table,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let world = args.chosen.world(app)?;
    let config = args.chosen.config()?.resolve(&app.parts().worlds).map_err(Usage)?;
    let mut environment = world.environment(Purpose::Evaluation)?;
    environment.reset(0)?;
    let goal = environment.goal();
    let EnvironmentSpec { name, spaces, max_steps, unit, rewards, rule, factors } = environment.spec().clone();
    let own = world.policies().iter().copied();
    let shown = Shown {
        name,
        spaces,
        max_steps,
        unit,
        rewards,
        rule,
        goal_observations: goal.as_ref().is_some_and(|goal| goal.observations.is_some()),
        goal: goal.is_some(),
        policies: own.chain([Random::NAME, Smooth::NAME]).map(str::to_owned).collect(),
        factors: factors.iter().cloned().collect(),
        keys: config.keys().map_err(Usage)?,
    };
    args.output.give(&shown, &table(&shown))
}

fn table(shown: &Shown) -> String {
    let Shown { spaces, factors, .. } = shown;
    let goal = match (shown.goal, shown.goal_observations) {
        (true, true) => "shown by an observation",
        (true, false) => "a state, without an observation",
        (false, _) => "none",
    };
    // Writing to a string cannot fail.
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("world", &shown.name);
    line("shows", &spaces.streams());
    line("actions", &spaces.action.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string));
    line("state", &spaces.state.map_or_else(|| "none".to_owned(), |width| format!("{width} numbers")));
    line("goal", goal);
    line("episodes", &format!("{} steps at most when plans are judged", shown.max_steps));
    line("distances", shown.unit.as_deref().unwrap_or("without a unit"));
    line("rewards", if shown.rewards { "yes" } else { "no" });
    if let Some(rule) = &shown.rule {
        line("rule", rule);
    }
    line("policies", &shown.policies.join(", "));
    if !factors.is_empty() {
        let _ = writeln!(text, "\nfactors (nominal; training; bounds)");
    }
    for factor in factors {
        let (training, bounds) = (factor.training_text(), factor.bounds_text());
        let _ = writeln!(text, "  {:<24} {:?}; {training}; {bounds}", factor.name, factor.nominal);
    }
    if !shown.keys.is_empty() {
        let _ = write!(text, "\nkeys\n{}", shown.keys);
    }
    text
}
