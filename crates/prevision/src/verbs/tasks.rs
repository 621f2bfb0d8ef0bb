//! `prevision tasks`: tasks that are frozen in a file.

use std::path::PathBuf;

use anyhow::Result;
use prevision_core::config::overlay::{assign, assignment};
use prevision_env::registry::{EnvConfig, Purpose};
use prevision_env::{Manifest, TaskOptions};
use toml::Table;

use crate::app::App;
use crate::{Output, Usage};

/// Freeze tasks of a world in a file: seeds, starts, goals, rule and hash
///
/// `prevision plan RUN --tasks FILE` is judged on them, whatever the model and the solver, and compares
/// every start and goal with the file.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The world: `prevision --help` lists those that are registered
    world: String,
    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Number of tasks
    #[arg(long, value_name = "N", default_value_t = 200)]
    count: usize,
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Only tasks whose shortest legal route is at least this long, in the unit of the world
    #[arg(long, value_name = "LENGTH", default_value_t = 0.0)]
    min_route: f64,
    /// Only tasks whose shortest legal route is at most this long
    #[arg(long, value_name = "LENGTH")]
    max_route: Option<f64>,
    /// A key of the world, as in --set layout=fixed
    #[arg(long = "set", value_name = "KEY=VALUE")]
    keys: Vec<String>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let mut keys = Table::new();
    let assignments = args.keys.iter().map(|text| assignment(text)).collect::<Result<Vec<_>, _>>().map_err(Usage)?;
    assign(&mut keys, assignments);
    let registry = &app.parts().worlds;
    let config = EnvConfig::of(&args.world, keys).resolve(registry).map_err(Usage)?;
    let mut worlds = config.world(registry).map_err(Usage)?.worlds(Purpose::Evaluation, 1)?;
    if args.count == 0 {
        return Err(Usage("--count is 0, but must be 1 or more".to_owned()).into());
    }
    let route = [args.min_route, args.max_route.unwrap_or(f64::INFINITY)];
    let options = TaskOptions { count: args.count, seed: args.seed, route };
    let manifest = Manifest::draw(worlds.as_mut(), &config, &options)?;
    manifest.write(&args.out)?;
    args.output.give(&manifest, &table(&manifest, &args.out))
}

fn table(manifest: &Manifest, path: &std::path::Path) -> String {
    let solved = manifest.tasks.iter().filter(|task| task.solved_at_start).count();
    let mut lines = vec![format!("tasks                   {} of {}", manifest.tasks.len(), manifest.world)];
    if let Some(rule) = &manifest.rule {
        lines.push(format!("rule                    {rule}"));
    }
    let unit = manifest.unit.as_deref().unwrap_or_default();
    for (name, of) in [
        ("distance to the goal", (|task| task.distance) as fn(&prevision_env::Task) -> Option<f64>),
        ("shortest legal route", |task| task.route),
    ] {
        let mut lengths: Vec<f64> = manifest.tasks.iter().filter_map(of).collect();
        lengths.sort_by(f64::total_cmp);
        if let (Some(least), Some(most)) = (lengths.first(), lengths.last()) {
            let median = lengths[lengths.len() / 2];
            lines.push(format!("{name:<24}{least:.1} to {most:.1} {unit}, median {median:.1}"));
        }
    }
    lines.push(format!("solved at the start     {solved}"));
    lines.push(format!("sha256                  {}", manifest.sha256));
    lines.push(format!("written to              {}", path.display()));
    lines.join("\n") + "\n"
}
