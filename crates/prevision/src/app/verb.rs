//! What the command line can be told to do.

use std::marker::PhantomData;

use anyhow::Result;
use clap::{ArgMatches, Args, Command};

use super::App;

/// A verb of the command line.
pub trait Verb {
    /// Its name, its arguments and what is said of it.
    fn command(&self) -> Command;

    /// Does it.
    ///
    /// # Errors
    /// Whatever went wrong: it is said in one message, and the exit code is 2 for a wrong command line or configuration, 1 otherwise.
    fn run(&self, app: &App, arguments: &ArgMatches) -> Result<()>;

    /// Threads that it wants the kernels to run on; `None`: one for each core.
    fn threads(&self, arguments: &ArgMatches) -> Option<usize> {
        let _ = arguments;
        None
    }
}

/// A verb out of a struct of arguments that derives [`clap::Args`], whose documentation is what is said of the verb, and a function.
pub fn verb<A: Args + 'static>(name: &'static str, run: fn(&App, &A) -> Result<()>) -> impl Verb {
    Derived { name, run, arguments: PhantomData }
}

struct Derived<A> {
    name: &'static str,
    run: fn(&App, &A) -> Result<()>,
    arguments: PhantomData<A>,
}

impl<A: Args + 'static> Verb for Derived<A> {
    fn command(&self) -> Command {
        A::augment_args(Command::new(self.name))
    }

    fn run(&self, app: &App, arguments: &ArgMatches) -> Result<()> {
        (self.run)(app, &A::from_arg_matches(arguments)?)
    }
}
