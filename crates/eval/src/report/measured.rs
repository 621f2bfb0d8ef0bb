//! What the frozen model knows: the results of each suite, as the suite shows them.

use serde_json::Value;
use toml::Table;

use super::html::{charts, section, table, tiles};
use super::run::Run;
use crate::format::{number, number_at};
use crate::{Shown, Suites, Tile};

/// Results of an evaluation that are of no suite.
const OTHERS: [&str; 2] = ["clips", "seconds"];

/// The section of every evaluation.
pub(super) fn evaluations(run: &Run, suites: &Suites) -> String {
    let several = run.evals.len() > 1;
    run.evals
        .iter()
        .map(|(name, eval)| {
            let title = if several { format!("Evaluation: {name}") } else { "Evaluation".to_owned() };
            let note = number_at(eval, &["clips"]).map_or_else(String::new, |clips| {
                format!("Measured on {} held-out clips, with frozen weights.", number(clips))
            });
            section(&format!("eval-{name}"), &title, &note, &body(&shown(eval, suites)))
        })
        .collect()
}

/// The numbers of the last evaluation that stand above everything else.
pub(super) fn headline(run: &Run, suites: &Suites) -> Vec<Tile> {
    let shown = run.evals.last().map(|(_, eval)| shown(eval, suites));
    shown.into_iter().flatten().flat_map(|shown| shown.headline).collect()
}

/// What each suite shows: first those that are registered, in their order, then all others, as their numbers.
fn shown(eval: &Value, suites: &Suites) -> Vec<Shown> {
    let registered = suites.names().filter_map(|name| {
        let results = eval.get(name)?;
        let suite = suites.make("eval", name, &Table::new(), &());
        Some(suite.map_or_else(|_| Shown::numbers(name, results), |suite| suite.show(name, results)))
    });
    let unknown = |name: &str| suites.place(name).is_none() && !OTHERS.contains(&name);
    let others = eval.as_object().into_iter().flatten().filter(|(name, _)| unknown(name));
    registered.chain(others.map(|(name, results)| Shown::numbers(name, results))).collect()
}

fn body(shown: &[Shown]) -> String {
    let numbers: Vec<Tile> = shown.iter().flat_map(|shown| shown.tiles.clone()).collect();
    let lines: Vec<_> = shown.iter().flat_map(|shown| shown.charts.clone()).collect();
    let tables: String = shown.iter().flat_map(|shown| &shown.tables).map(table).collect();
    [tiles(&numbers), charts(&lines), tables].concat()
}
