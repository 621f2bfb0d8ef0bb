//! The `prevision` binary: one file per verb in `verbs/`.

mod allocator;
mod bench;
mod device;
mod failure;
mod output;
mod progress;
mod run_name;
mod threads;
mod verbs;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// JEPA world models on video: train on clips, evaluate latent predictions, plan with the model.
///
/// Progress goes to standard error, results to standard output; with --json FILE as JSON to a file (- for
/// standard output).
#[derive(Parser)]
#[command(name = "prevision", version, propagate_version = true, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Look into videos, take frames out of them, record worlds as video
    Data(verbs::data::Args),
    /// Train the model of an experiment
    Train(verbs::train::Args),
    /// Measure what the model of a run has learned
    Eval(verbs::eval::Args),
    /// Plan with the model of a run, in the world it was trained for
    Plan(verbs::plan::Args),
    /// Write one HTML page about a run
    Report(verbs::report::Args),
    /// Everything in one go: record, train, evaluate, plan, report
    Demo(verbs::demo::Args),
    /// Time a fixed piece of work
    Bench(verbs::bench::Args),
}

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("PREVISION_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .init();
    let verb = Cli::parse().verb;
    let threads = if let Verb::Bench(args) = &verb { args.threads } else { None };
    let done = threads::start(threads).and_then(|()| match verb {
        Verb::Data(args) => verbs::data::run(args),
        Verb::Train(args) => verbs::train::run(&args),
        Verb::Eval(args) => verbs::eval::run(&args),
        Verb::Plan(args) => verbs::plan::run(&args),
        Verb::Report(args) => verbs::report::run(&args),
        Verb::Demo(args) => verbs::demo::run(&args),
        Verb::Bench(args) => verbs::bench::run(&args),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
