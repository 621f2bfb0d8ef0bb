//! The command line as a library: parts are registered by name, verbs use them.

mod parts;
mod verb;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Command;
use prevision_core::config::Options;
use prevision_data::{EpisodeFormat, Source};
use prevision_env::registry::World;
use prevision_eval::Suite;
use prevision_eval::probing::{ClipShape, ProbeHead, ProbeTask};
use prevision_objective::Term;
use prevision_plan::constraint::Constraint;
use prevision_plan::cost::{Cost, CostContext};
use prevision_plan::solver::{Solver, SolverContext};
use prevision_train::{AnyTask, ModelContext, Task};

pub use parts::Parts;
pub use verb::{Verb, verb};

use crate::cli::failure;
use crate::features::FeatureFormat;
use crate::verbs;

/// The command line with everything that is registered. The built-in parts are registered by the same calls as a user's own; a name
/// that is taken is taken over.
///
/// Every part has a struct of keys ([`Options`]): what a configuration writes beside its name.
pub struct App {
    parts: Parts,
    verbs: Vec<Box<dyn Verb>>,
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// The built-in parts and verbs.
    pub fn new() -> Self {
        verbs::built_in().into_iter().fold(Self { parts: Parts::built_in(), verbs: Vec::new() }, Self::with_verb)
    }

    /// Registers a world, `env.name`; its keys are those of `[env.NAME]`.
    #[must_use]
    pub fn world<O: Options, P: World + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed = move |options: O, (): &_| make(options).map(|part| Box::new(part) as Box<dyn World>);
        self.parts.worlds = self.parts.worlds.with(name, boxed);
        self
    }

    /// Registers a source of clips, `data.source.kind`.
    #[must_use]
    pub fn source<O: Options, P: Source + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed = move |options: O, _: &_| make(options).map(|part| Box::new(part) as Box<dyn Source>);
        self.parts.sources = self.parts.sources.with(name, boxed);
        self
    }

    /// Registers a format of recorded episodes, which `data.source.kind = "episodes"` reads.
    #[must_use]
    pub fn format(mut self, format: impl EpisodeFormat + 'static) -> Self {
        self.parts.formats = self.parts.formats.with(format);
        self
    }

    /// Registers a model with its losses, `model.kind`.
    #[must_use]
    pub fn model<O: Options, P: Task + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O, &ModelContext) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed = move |options: O, context: &ModelContext| {
            make(options, context).map(|part| Box::new(part) as Box<dyn AnyTask>)
        };
        self.parts.models = self.parts.models.with(name, boxed);
        self
    }

    /// Registers a term of the objective, `[objective.NAME]`.
    #[must_use]
    pub fn term<O: Options, P: Term + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed = move |options: O, (): &_| make(options).map(|part| Box::new(part) as Box<dyn Term>);
        self.parts.terms = self.parts.terms.with(name, boxed);
        self
    }

    /// Registers a suite of the evaluation, `prevision eval --suite NAME`; its keys are those of `[eval.NAME]`.
    #[must_use]
    pub fn suite<O: Options, P: Suite + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed = move |options: O, (): &_| make(options).map(|part| Box::new(part) as Box<dyn Suite>);
        self.parts.suites = self.parts.suites.with(name, boxed);
        self
    }

    /// Registers a task of probes, `prevision probe --task NAME`, made for the clips that the encoder sees; its keys are `task.NAME.KEY`.
    #[must_use]
    pub fn probe_task<O: Options, P: ProbeTask + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O, &ClipShape) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed =
            move |options: O, shape: &ClipShape| make(options, shape).map(|part| Box::new(part) as Box<dyn ProbeTask>);
        self.parts.probe_tasks = self.parts.probe_tasks.with(name, boxed);
        self
    }

    /// Registers a head of probes, `prevision probe --head NAME`; its keys are `head.NAME.KEY`.
    #[must_use]
    pub fn probe_head<O: Options, P: ProbeHead + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed = move |options: O, (): &_| make(options).map(|part| Box::new(part) as Box<dyn ProbeHead>);
        self.parts.probe_heads = self.parts.probe_heads.with(name, boxed);
        self
    }

    /// Registers a format of files of features, which the suffix of `prevision encode --out` chooses.
    #[must_use]
    pub fn feature_format(mut self, format: impl FeatureFormat + 'static) -> Self {
        self.parts.feature_formats = self.parts.feature_formats.with(format);
        self
    }

    /// Registers a solver, `plan.solver.kind`.
    #[must_use]
    pub fn solver<O: Options, P: Solver + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O, &SolverContext) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed = move |options: O, context: &SolverContext| {
            make(options, context).map(|part| Box::new(part) as Box<dyn Solver>)
        };
        self.parts.plan.solvers = self.parts.plan.solvers.with(name, boxed);
        self
    }

    /// Registers a cost, `[plan.costs.NAME]`.
    #[must_use]
    pub fn cost<O: Options, P: Cost + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O, &CostContext) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed =
            move |options: O, context: &CostContext| make(options, context).map(|part| Box::new(part) as Box<dyn Cost>);
        self.parts.plan.costs = self.parts.plan.costs.with(name, boxed);
        self
    }

    /// Registers a constraint, `[plan.constraints.NAME]`.
    #[must_use]
    pub fn constraint<O: Options, P: Constraint + 'static>(
        mut self,
        name: &str,
        make: impl Fn(O, &CostContext) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        let boxed = move |options: O, context: &CostContext| {
            make(options, context).map(|part| Box::new(part) as Box<dyn Constraint>)
        };
        self.parts.plan.constraints = self.parts.plan.constraints.with(name, boxed);
        self
    }

    /// Registers a verb. One of a name that is there already takes its place.
    #[must_use]
    pub fn verb(self, verb: impl Verb + 'static) -> Self {
        self.with_verb(Box::new(verb))
    }

    fn with_verb(mut self, verb: Box<dyn Verb>) -> Self {
        let name = verb.command().get_name().to_owned();
        match self.verbs.iter_mut().find(|known| known.command().get_name() == name) {
            Some(known) => *known = verb,
            None => self.verbs.push(verb),
        }
        self
    }

    /// What is registered.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Does what a command line says, the program's name first, and gives the exit code: 0 when the work was done, 2 for a wrong
    /// command line or configuration, 1 for a failure at run time.
    pub fn run(&self, arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
        crate::cli::interrupt::let_large_files_fail();
        // A program that links the crates may have a subscriber of its own.
        let _ = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .without_time()
            .with_env_filter(
                tracing_subscriber::EnvFilter::try_from_env("PREVISION_LOG")
                    .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
            )
            .try_init();
        let matches = match self.command().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) => {
                // Help goes to standard output, a mistake to standard error; a closed pipe is nobody's business.
                let _ = error.print();
                return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
            }
        };
        let Some((name, arguments)) = matches.subcommand() else { return ExitCode::from(2) };
        let Some(verb) = self.verbs.iter().find(|verb| verb.command().get_name() == name) else {
            return ExitCode::from(2);
        };
        let done = crate::cli::start_runtime(verb.threads(arguments)).and_then(|()| verb.run(self, arguments));
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failure::report(&error),
        }
    }

    fn command(&self) -> Command {
        Command::new("prevision")
            .version(env!("CARGO_PKG_VERSION"))
            .propagate_version(true)
            .about("JEPA world models on video: train on clips, evaluate latent predictions, plan with the model")
            .long_about(
                "JEPA world models on video: train on clips, evaluate latent predictions, plan with the model.\n\n\
                 Progress goes to standard error, results to standard output; with --json FILE as JSON to a file (- for\n\
                 standard output).",
            )
            .after_long_help(format!("What an experiment can name:\n{}", self.parts.list()))
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommands(self.verbs.iter().map(|verb| verb.command()))
    }
}
