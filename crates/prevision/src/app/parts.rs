//! Everything that a configuration can name.

use prevision_data::{Formats, Sources};
use prevision_env::registry::WorldRegistry;
use prevision_eval::Suites;
use prevision_eval::probing::{ProbeHeads, ProbeTasks};
use prevision_objective::Terms;
use prevision_train::Models;

use crate::features::FeatureFormats;

/// The parts that are registered, by sort.
#[derive(Clone)]
pub struct Parts {
    /// Sources of clips, `[data.source]`.
    pub sources: Sources,
    /// Formats of recorded episodes, `data.source.format`.
    pub formats: Formats,
    /// Models with their losses, `[model]`.
    pub models: Models,
    /// Terms of the objective, `[objective]`.
    pub terms: Terms,
    /// Worlds, `[env]`.
    pub worlds: WorldRegistry,
    /// Suites of the evaluation, `[eval]`.
    pub suites: Suites,
    /// Tasks of `prevision probe`.
    pub probe_tasks: ProbeTasks,
    /// Heads of `prevision probe`.
    pub probe_heads: ProbeHeads,
    /// Formats of features, `prevision encode --out`.
    pub feature_formats: FeatureFormats,
    /// Solvers, costs and constraints, `[plan]`.
    pub plan: prevision_plan::Parts,
}

impl Parts {
    /// The parts that come with the framework.
    pub fn built_in() -> Self {
        Self {
            sources: prevision_data::built_in(),
            formats: Formats::built_in(),
            models: prevision_train::built_in_models(),
            terms: prevision_objective::built_in(),
            worlds: prevision_env::registry::built_in(),
            suites: prevision_eval::built_in(),
            probe_tasks: prevision_eval::probing::built_in_tasks(),
            probe_heads: prevision_eval::probing::built_in_heads(),
            feature_formats: FeatureFormats::built_in(),
            plan: prevision_plan::Parts::default(),
        }
    }

    /// Their names, by sort, as `--help` lists them.
    pub(super) fn list(&self) -> String {
        let line = |sort: &str, names: Vec<&str>| {
            // As many names to a row as fit.
            let mut rows: Vec<String> = Vec::new();
            for name in names {
                match rows.last_mut() {
                    Some(row) if row.len() + name.len() < 80 => *row = format!("{row}, {name}"),
                    _ => rows.push(name.to_owned()),
                }
            }
            format!("  {sort:<12} {}\n", rows.join(",\n               "))
        };
        [
            line("worlds", self.worlds.names().collect()),
            line("sources", self.sources.names().collect()),
            line("formats", self.formats.names().collect()),
            line("models", self.models.names().collect()),
            line("loss terms", self.terms.names().collect()),
            line("suites", self.suites.names().collect()),
            line("probe tasks", self.probe_tasks.names().collect()),
            line("probe heads", self.probe_heads.names().collect()),
            line("features", self.feature_formats.suffixes().collect()),
            line("solvers", self.plan.solvers.names().collect()),
            line("costs", self.plan.costs.names().collect()),
            line("constraints", self.plan.constraints.names().collect()),
        ]
        .concat()
    }
}
