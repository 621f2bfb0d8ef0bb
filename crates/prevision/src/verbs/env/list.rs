//! `prevision env list`: the worlds that are registered.

use anyhow::Result;
use prevision_env::registry::{EnvConfig, Purpose};
use serde::Serialize;
use toml::Table;

use crate::Output;
use crate::app::App;

/// Which worlds there are, a line each
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    output: Output,
}

/// A registered world.
#[derive(Serialize)]
struct Entry {
    name: String,
    /// What it shows and takes, with every key at its default; what it needs, if it cannot be made without a key.
    about: String,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let worlds = &app.parts().worlds;
    let about = |name: &str| {
        let made = EnvConfig::of(name, Table::new()).world(worlds);
        match made.map(|world| world.environment(Purpose::Evaluation)) {
            Ok(Ok(environment)) => {
                let spaces = &environment.spec().spaces;
                let action = spaces.action.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
                format!("{}; actions: {action}", spaces.streams())
            }
            Ok(Err(error)) => error.to_string(),
            Err(needs) => needs,
        }
    };
    let entries: Vec<Entry> = worlds.names().map(|name| Entry { name: name.to_owned(), about: about(name) }).collect();
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let lines: Vec<String> = entries.iter().map(|entry| format!("{:<width$}  {}", entry.name, entry.about)).collect();
    args.output.give(&entries, &lines.join("\n"))
}
