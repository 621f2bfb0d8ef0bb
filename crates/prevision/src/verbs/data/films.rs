//! `prevision data films`: matched possible and impossible films.

use std::path::PathBuf;

use anyhow::Result;
use prevision_core::config::Options as _;
use prevision_core::config::deserialise;
use prevision_core::config::overlay::{assign, assignment};
use prevision_data::{PhysicsFilmsOptions, write_quadruplets};
use serde::Serialize;
use toml::Table;

use crate::{Output, Usage};

/// Draw matched possible and impossible films, for `prevision surprise`.
///
/// Of each scene four films: an object passes behind an occluder; there is none; it vanishes there; it comes out without
/// having gone in. The possible ones are as those of the data source physics-films, which a model can be trained on.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to write; must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Scenes, of each four films
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    quadruplets: u32,
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// A key of physics-films, as in --set lamps=0
    #[arg(long = "set", value_name = "KEY=VALUE")]
    keys: Vec<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Written {
    quadruplets: u32,
    films: usize,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut keys = Table::new();
    let assignments = args.keys.iter().map(|text| assignment(text)).collect::<Result<Vec<_>, _>>().map_err(Usage)?;
    assign(&mut keys, assignments);
    let options: PhysicsFilmsOptions = deserialise("--set", &keys).map_err(Usage)?;
    options.validate().map_err(|message| Usage(format!("--set: {message}")))?;
    let films = write_quadruplets(&args.out, &options, args.quadruplets as usize, args.seed)?;
    let table = format!("{films} films of {} scenes: {}", args.quadruplets, args.out.display());
    args.output.give(&Written { quadruplets: args.quadruplets, films }, &table)
}
