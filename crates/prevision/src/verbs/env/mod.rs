//! `prevision env`: which worlds there are, what is in them, what is wrong with them, how fast they are.

mod bench;
mod check;
mod list;
mod show;

use anyhow::Result;
use prevision_core::config::overlay::{assign, assignment};
use prevision_env::registry::{EnvConfig, World};
use toml::Table;

use crate::Usage;
use crate::app::App;

/// List worlds, look into them, check them, measure them
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: EnvVerb,
}

#[derive(clap::Subcommand)]
enum EnvVerb {
    /// Which worlds there are
    List(list::Args),
    /// What a world shows, takes and can vary
    Show(show::Args),
    /// What is wrong with a world: anybody's, before anything is recorded or planned in it
    Check(check::Args),
    /// How many frames a second a world gives
    Bench(bench::Args),
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    match &args.verb {
        EnvVerb::List(args) => list::run(app, args),
        EnvVerb::Show(args) => show::run(app, args),
        EnvVerb::Check(args) => check::run(app, args),
        EnvVerb::Bench(args) => bench::run(app, args),
    }
}

/// Which world.
#[derive(clap::Args)]
struct Chosen {
    /// The world: a name, or one with what it is to run, as in "cmd:python3 world.py" or gym:CartPole-v1
    world: String,
    /// A key of the world, as in --set layout=fixed
    #[arg(long = "set", value_name = "KEY=VALUE")]
    keys: Vec<String>,
}

impl Chosen {
    fn config(&self) -> Result<EnvConfig> {
        let mut keys = Table::new();
        let assignments =
            self.keys.iter().map(|text| assignment(text)).collect::<Result<Vec<_>, _>>().map_err(Usage)?;
        assign(&mut keys, assignments);
        Ok(EnvConfig::of(&self.world, keys))
    }

    fn world(&self, app: &App) -> Result<Box<dyn World>> {
        Ok(self.config()?.world(&app.parts().worlds).map_err(Usage)?)
    }
}
