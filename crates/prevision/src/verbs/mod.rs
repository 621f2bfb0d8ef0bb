//! One file per verb: its arguments, and what it prints.

mod acting;
mod adopt;
mod bench;
mod data;
mod demo;
mod distil;
mod encode;
mod env;
mod eval;
mod export;
mod import;
mod landscape;
mod levels;
mod memory;
mod plan;
mod probe;
mod report;
mod rollout;
mod schema;
mod seen;
mod surprise;
mod tasks;
mod train;

use crate::app::{Verb, verb};

/// The built-in verbs.
pub(crate) fn built_in() -> Vec<Box<dyn Verb>> {
    vec![
        Box::new(verb("data", data::run)),
        Box::new(verb("train", train::run)),
        Box::new(verb("eval", eval::run)),
        Box::new(verb("landscape", landscape::run)),
        Box::new(verb("probe", probe::run)),
        Box::new(verb("surprise", surprise::run)),
        Box::new(verb("tasks", tasks::run)),
        Box::new(verb("plan", plan::run)),
        Box::new(verb("memory", memory::run)),
        Box::new(verb("levels", levels::run)),
        Box::new(verb("distil", distil::run)),
        Box::new(verb("import", import::run)),
        Box::new(verb("encode", encode::run)),
        Box::new(verb("rollout", rollout::run)),
        Box::new(verb("export", export::run)),
        Box::new(verb("report", report::run)),
        Box::new(verb("demo", demo::run)),
        Box::new(bench::Bench),
        Box::new(verb("env", env::run)),
        Box::new(verb("schema", schema::run)),
    ]
}
