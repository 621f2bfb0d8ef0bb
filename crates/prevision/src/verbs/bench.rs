//! `prevision bench`: fixed pieces of work, timed.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use prevision_kernels::{Precision, Runtime, with_precision};
use prevision_train::peak_memory_bytes;
use serde::Serialize;

use crate::app::{App, Verb};
use crate::bench::routes::{self, Shape};
use crate::bench::{Case, matmul_flops_per_second, measure};
use crate::cli::precision::precision;
use crate::{DeviceName, Output};

/// Time a fixed piece of work.
///
/// It is the same every time: what experiments/training-speed compares with PyTorch.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Args {
    #[command(subcommand)]
    routes: Option<Table>,
    #[arg(value_enum, required = true)]
    case: Option<Case>,
    /// Numbers that products multiply, float32 or bf16; sums are in float32 either way
    #[arg(long, default_value_t, value_parser = precision)]
    precision: Precision,
    /// Threads of the CPU device [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Runs that are timed
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Runs before them that are not
    #[arg(long, value_name = "N", default_value_t = 2)]
    warm_up: u32,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

#[derive(clap::Subcommand)]
enum Table {
    /// Matrix products of many shapes at every level of the processor, and which level the kernels choose
    Routes(RoutesArgs),
}

#[derive(clap::Args)]
struct RoutesArgs {
    /// Numbers that products multiply, float32 or bf16 [default: both]
    #[arg(long, value_parser = precision)]
    precision: Option<Precision>,
    #[command(flatten)]
    output: Output,
}

/// What was measured.
#[derive(Serialize)]
struct Results {
    case: String,
    device: String,
    precision: Precision,
    threads: usize,
    median_seconds: f64,
    min_seconds: f64,
    max_seconds: f64,
    runs: usize,
    /// The most memory the process held up to the last run.
    peak_memory_bytes: Option<u64>,
    /// Operations of the matrix products in one run.
    flops: Option<u64>,
    /// Operations a second of one large matrix product, measured after the runs.
    matmul_flops_per_second: f64,
    /// Operations a second of the products in a run, as if nothing else took time, over those of the large product.
    matmul_share: Option<f64>,
}

/// The verb. Its threads are chosen before any kernel runs.
pub(crate) struct Bench;

impl Verb for Bench {
    fn command(&self) -> Command {
        Args::augment_args(Command::new("bench"))
    }

    fn run(&self, _app: &App, arguments: &ArgMatches) -> Result<()> {
        let args = Args::from_arg_matches(arguments)?;
        match (&args.routes, args.case) {
            (Some(Table::Routes(args)), _) => routes(args),
            (None, Some(case)) => run(case, &args),
            (None, None) => bail!("a case is needed"),
        }
    }

    fn threads(&self, arguments: &ArgMatches) -> Option<usize> {
        arguments.try_get_one::<u16>("threads").ok().flatten().map(|count| usize::from(*count))
    }
}

/// Where products run, and where they would run faster.
fn routes(args: &RoutesArgs) -> Result<()> {
    let precisions = args.precision.map_or(vec![Precision::Float32, Precision::Bfloat16], |precision| vec![precision]);
    let highest = Runtime::current().level;
    let shapes: Vec<Shape> = precisions.into_iter().flat_map(|precision| routes::measure(highest, precision)).collect();
    args.output.give(&shapes, &routes::table(&shapes))
}

fn run(case: Case, args: &Args) -> Result<()> {
    let device = args.device.open()?;
    let mut work = case.prepare(&device)?;
    let precision = args.precision;
    let measured =
        with_precision(precision, || measure(&mut work.run, &device, args.warm_up as usize, args.runs as usize))?;
    let peak_memory_bytes = peak_memory_bytes();
    let matmul = with_precision(precision, || matmul_flops_per_second(&device))?;
    let name = |value: Option<clap::builder::PossibleValue>| value.map_or_else(String::new, |it| it.get_name().into());
    let results = Results {
        case: name(clap::ValueEnum::to_possible_value(&case)),
        device: name(clap::ValueEnum::to_possible_value(&args.device)),
        precision,
        threads: Runtime::current().threads,
        median_seconds: measured.median(),
        min_seconds: measured.least(),
        max_seconds: measured.most(),
        runs: measured.runs(),
        peak_memory_bytes,
        flops: work.flops,
        matmul_flops_per_second: matmul,
        matmul_share: work.flops.map(|flops| flops as f64 / measured.median() / matmul),
    };
    args.output.give(&results, &table(&results))
}

/// The results for people.
fn table(results: &Results) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    let milliseconds = |seconds: f64| 1000.0 * seconds;
    let _ = writeln!(text, "{} ({}, {}, {} threads)", results.case, results.device, results.precision, results.threads);
    let _ = writeln!(
        text,
        "time              {:.1} ms median of {} runs, {:.1} to {:.1} ms",
        milliseconds(results.median_seconds),
        results.runs,
        milliseconds(results.min_seconds),
        milliseconds(results.max_seconds)
    );
    if let Some(bytes) = results.peak_memory_bytes {
        let _ = writeln!(text, "peak memory       {:.0} MB", bytes as f64 / 1e6);
    }
    let _ = writeln!(text, "matrix products   {:.0} GFLOP/s for a large one", results.matmul_flops_per_second / 1e9);
    if let (Some(flops), Some(share)) = (results.flops, results.matmul_share) {
        let _ = writeln!(
            text,
            "  in this case    {:.1} GFLOP, {:.0} % of that rate over the whole time",
            flops as f64 / 1e9,
            100.0 * share
        );
    }
    text
}
