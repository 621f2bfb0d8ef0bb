//! `prevision env check`: what is wrong with a world.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use prevision_env::check::{CheckOptions, CheckReport, Severity, check_world};
use prevision_env::registry::Purpose;

use super::Chosen;
use crate::Output;
use crate::app::App;

/// Look for what is wrong with a world, before anything is recorded or planned in it
///
/// Plays episodes of random actions, some of them several times: in new worlds, after other episodes,
/// alone. Looks for episodes that are no function of seed and actions, seeds and actions that do
/// nothing, images and states that never change, numbers that are not finite, what does not fit the
/// spaces, goals that are reached at the start or look like it, states that cannot be started in, ends
/// that are none, and worlds that fail or do not answer. Ends with 1 if something is wrong.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// Episodes, 2 or more
    #[arg(long, value_name = "N", default_value_t = 24)]
    episodes: usize,
    /// Most steps of an episode
    #[arg(long, value_name = "N", default_value_t = 60)]
    steps: usize,
    /// Worlds side by side, 2 or more
    #[arg(long, value_name = "N", default_value_t = 4)]
    rows: usize,
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let world = args.chosen.world(app)?;
    let options = CheckOptions {
        episodes: args.episodes,
        steps: args.steps,
        rows: args.rows,
        seed: args.seed,
        purpose: Purpose::Evaluation,
    };
    let report = check_world(world.as_ref(), &options)?;
    args.output.give(&report, &table(&report))?;
    match report.findings.iter().filter(|finding| finding.severity == Severity::Error).count() {
        0 => Ok(()),
        1 => bail!("{}: 1 fault", args.chosen.world),
        errors => bail!("{}: {errors} faults", args.chosen.world),
    }
}

fn table(report: &CheckReport) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    if !report.world.is_empty() {
        let _ = writeln!(text, "world      {}", report.world);
    }
    let _ = writeln!(text, "episodes   {} of random actions, {} steps", report.episodes, report.steps);
    let _ = writeln!(text, "ends       {} by the world", report.terminated);
    let _ = writeln!(text, "successes  {}\n", report.successes);
    if report.findings.is_empty() {
        text.push_str("nothing found\n");
    }
    for finding in &report.findings {
        let _ = writeln!(text, "{finding}");
    }
    text
}
