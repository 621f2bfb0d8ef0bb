//! `[plan]`: the search, what is minimised, and the episodes of closed-loop planning.

use prevision_core::config::check::{check, message};
use prevision_core::config::{Options, Part, WeightedParts, schema};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;
use toml::{Table, Value};

use crate::hierarchy::HierarchyConfig;
use crate::setup::Parts;
use crate::{AdaptationConfig, MemoryConfig, ReflexConfig, Rules};

/// The key of a constraint that says whether plans must satisfy it.
const ENFORCE: &str = "enforce";

/// Configuration of planning with a trained model in a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlanConfig {
    /// The search over action sequences, `[plan.solver]`. Default `cem`.
    #[schemars(skip)]
    pub solver: Part,
    /// Length of a plan, in actions of the model. Default 30.
    pub horizon: usize,
    /// Actions of a plan that are executed before the next plan. Default 1.
    pub execute: usize,
    /// Whether a plan starts from the rest of the one before it. Default true.
    pub warm_start: bool,
    /// Standard deviation of the first sampled actions, in the world's unit of actions. Default 1.5.
    pub initial_std: f64,
    /// Milliseconds after which the search for the plans of the episodes that run side by side ends, with the iteration that it is in, and
    /// the best so far is done. Results then depend on the machine. Unset: it ends after its last iteration.
    pub deadline_ms: Option<f64>,
    /// Mebibytes that what the model imagines for candidates may take at a time, about. Candidates are worked off in parts that fit, which
    /// does not change the plans. Unset: the size that is fastest.
    pub memory_mb: Option<f64>,
    /// Sampled actions are shortened to this Euclidean norm, in a world whose actions have a largest norm. Unset: the world's own.
    pub action_norm: Option<f64>,
    /// What is minimised: costs by name, each with its weight and keys, `[plan.costs]`. Default `latent`, with weight 1.
    #[schemars(skip)]
    pub costs: WeightedParts,
    /// What plans must not violate: constraints by name, each with its keys, `[plan.constraints.NAME]`. With `enforce = false` beside
    /// its keys a constraint only judges what really happens. Default none.
    #[schemars(skip)]
    pub constraints: Table,
    /// What the planner remembers, `[plan.memory]`.
    pub memory: MemoryConfig,
    /// How far ahead it looks with slower models, `[plan.hierarchy]`.
    pub hierarchy: HierarchyConfig,
    /// What the model learns while it plans, `[plan.adaptation]`.
    pub adaptation: AdaptationConfig,
    /// A reflex that was distilled from plans, `[plan.reflex]`.
    pub reflex: ReflexConfig,
    /// Largest number of actions in an episode. Unset: the world's own.
    pub max_steps: Option<usize>,
    /// Whether an episode ends when it arrives. That is cheaper; otherwise every episode runs to its last step, so that
    /// one run gives both the rate of episodes that arrived and of those still there at the end. Default false.
    pub stop_on_arrival: bool,
    /// Number of episodes. Default 50.
    pub episodes: usize,
    /// How many of the episodes are shown in videos, and have their searches traced. Default 4.
    pub videos: usize,
    /// Policies without a model that are run on the same tasks, for comparison: those of the world that has them, `random`, `smooth`.
    /// Default `random` and `expert`.
    pub baselines: Vec<String>,
}

impl Default for PlanConfig {
    fn default() -> Self {
        Self {
            solver: Part::new("cem"),
            horizon: 30,
            execute: 1,
            warm_start: true,
            initial_std: 1.5,
            deadline_ms: None,
            memory_mb: None,
            action_norm: None,
            costs: WeightedParts::default(),
            constraints: Table::new(),
            memory: MemoryConfig::default(),
            hierarchy: HierarchyConfig::default(),
            adaptation: AdaptationConfig::default(),
            reflex: ReflexConfig::default(),
            max_steps: None,
            stop_on_arrival: false,
            episodes: 50,
            videos: 4,
            baselines: ["random", "expert"].map(str::to_owned).to_vec(),
        }
    }
}

impl Options for PlanConfig {
    /// Checks the ranges of the section's own keys. Those of solver, costs and constraints are checked when these are made.
    fn validate(&self) -> Result<(), String> {
        check("horizon", self.horizon as f64).at_least(1.0)?;
        check("execute", self.execute as f64).at_least(1.0)?.at_most(self.horizon as f64, "horizon")?;
        check("initial_std", self.initial_std).above(0.0)?;
        prevision_core::config::within("memory", self.memory.validate())?;
        prevision_core::config::within("hierarchy", self.hierarchy.validate())?;
        prevision_core::config::within("adaptation", self.adaptation.validate())?;
        prevision_core::config::within("reflex", self.reflex.validate())?;
        for (key, value) in
            [("action_norm", self.action_norm), ("deadline_ms", self.deadline_ms), ("memory_mb", self.memory_mb)]
        {
            value.map_or(Ok(()), |value| check(key, value).above(0.0)?.done())?;
        }
        if let Some(steps) = self.max_steps {
            check("max_steps", steps as f64).at_least(1.0)?;
        }
        check("episodes", self.episodes as f64).at_least(1.0)?.done()
    }
}

impl PlanConfig {
    /// The JSON Schema of the section, with the keys of all parts that are registered.
    pub fn schema(parts: &Parts) -> Schema {
        let mut section = schema::of::<Self>();
        let named = |schema: Schema, text: &str| {
            let mut schema = schema;
            schema.insert("description".to_owned(), text.into());
            schema.to_value()
        };
        let solver = named(parts.solvers.schema_by_kind(), "The search over action sequences. Default `cem`.");
        let costs = named(parts.costs.schema_by_name(true), "What is minimised, by name. Default `latent = 1`.");
        let constraints = named(constraint_schema(parts), "What plans must not violate. Default none.");
        schema::property(&mut section, "solver", solver);
        schema::property(&mut section, "costs", costs);
        schema::property(&mut section, "constraints", constraints);
        section
    }

    /// The section with every default in place, those of its parts too.
    ///
    /// # Errors
    /// The full key at fault, if a part does not exist, or a key is unknown or has a value that is not allowed.
    pub fn resolve(&self, parts: &Parts) -> Result<Self, String> {
        prevision_core::config::within("plan", self.validate())?;
        let mut resolved = self.clone();
        resolved.solver.keys = parts.solvers.resolve("plan.solver", &self.solver.kind, &self.solver.keys)?;
        resolved.costs = WeightedParts::default();
        for (name, weight, keys) in self.cost_entries()? {
            let mut table = parts.costs.resolve(&format!("plan.costs.{name}"), &name, &keys)?;
            table.insert("weight".to_owned(), weight.into());
            resolved.costs.0.insert(name, Value::Table(table));
        }
        for (name, enforce, keys) in self.constraint_entries()? {
            let mut table = parts.constraints.resolve(&format!("plan.constraints.{name}"), &name, &keys)?;
            table.insert(ENFORCE.to_owned(), enforce.into());
            resolved.constraints.insert(name, Value::Table(table));
        }
        Ok(resolved)
    }

    /// Name, weight and keys of the costs; the default if none is given.
    pub(crate) fn cost_entries(&self) -> Result<Vec<(String, f64, Table)>, String> {
        if self.costs.0.is_empty() {
            return Ok(vec![("latent".to_owned(), 1.0, Table::new())]);
        }
        prevision_core::config::within("plan.costs", self.costs.entries())
    }

    /// Name of the constraints, whether plans must satisfy them, and their own keys.
    pub(crate) fn constraint_entries(&self) -> Result<Vec<(String, bool, Table)>, String> {
        let entry = |(name, value): (&String, &Value)| {
            let key = format!("plan.constraints.{name}");
            let Value::Table(table) = value else {
                return Err(message(&key, value, "a table of its keys, which may be empty"));
            };
            let mut keys = table.clone();
            let enforce = match keys.remove(ENFORCE) {
                None => true,
                Some(Value::Boolean(enforce)) => enforce,
                Some(other) => return Err(message(&format!("{key}.{ENFORCE}"), other, "true or false")),
            };
            Ok((name.clone(), enforce, keys))
        };
        self.constraints.iter().map(entry).collect()
    }

    /// The rules of the episodes. As many are watched as are shown in videos: set [`Rules::watched`] to 0 if nobody watches.
    pub fn rules(&self, seed: u64) -> Rules {
        Rules {
            episodes: self.episodes,
            seed,
            max_steps: self.max_steps,
            stop_on_arrival: self.stop_on_arrival,
            watched: self.videos,
            tasks: None,
        }
    }
}

/// The schema of constraints by name, each with the key that stands beside its own.
fn constraint_schema(parts: &Parts) -> Schema {
    let mut all = parts.constraints.schema_by_name(false).to_value();
    let enforce = json!({
        "type": "boolean",
        "description": "Whether plans must satisfy the constraint; if not, it only judges what really happens. Default true.",
    });
    for constraint in all["properties"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        constraint["properties"][ENFORCE] = enforce.clone();
    }
    schema::literal(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_named() {
        let refused = |config: PlanConfig| config.validate().unwrap_err();
        let config = PlanConfig::default;
        assert_eq!(refused(PlanConfig { execute: 31, ..config() }), "execute is 31, but must be 30 (horizon) or less");
        assert_eq!(refused(PlanConfig { episodes: 0, ..config() }), "episodes is 0, but must be 1 or more");
        assert_eq!(
            refused(PlanConfig { action_norm: Some(0.0), ..config() }),
            "action_norm is 0, but must be a number above 0"
        );
        assert_eq!(
            refused(PlanConfig { deadline_ms: Some(-1.0), ..config() }),
            "deadline_ms is -1, but must be a number above 0"
        );
        assert_eq!(
            refused(PlanConfig { memory_mb: Some(0.0), ..config() }),
            "memory_mb is 0, but must be a number above 0"
        );
        assert_eq!(refused(PlanConfig { max_steps: Some(0), ..config() }), "max_steps is 0, but must be 1 or more");
        let memory = MemoryConfig { obstacles: -1.0, ..MemoryConfig::default() };
        assert_eq!(refused(PlanConfig { memory, ..config() }), "memory.obstacles is -1, but must be 0 or more");
        let adaptation = AdaptationConfig { rate: 1.5 };
        assert_eq!(refused(PlanConfig { adaptation, ..config() }), "adaptation.rate is 1.5, but must be in [0, 1]");
        let reflex = ReflexConfig { alone: true, ..ReflexConfig::default() };
        assert_eq!(
            refused(PlanConfig { reflex, ..config() }),
            "reflex.alone is true, but must be false, unless `file` names a reflex"
        );
        let reflex = ReflexConfig { std: Some(0.0), ..ReflexConfig::default() };
        assert_eq!(refused(PlanConfig { reflex, ..config() }), "reflex.std is 0, but must be a number above 0");
    }

    #[test]
    fn everything_is_resolved_and_read_back() {
        let text = "horizon = 8\n[costs]\ndistance = 2\nreachability = { weight = 5, slack = 1 }\n\
                    [constraints.reachable]\nslack = 3\n[solver]\nkind = \"icem\"\nsamples = 9\nelites = 6\n";
        let config: PlanConfig = toml::from_str(text).unwrap();
        let resolved = config.resolve(&Parts::default()).unwrap();
        assert_eq!(resolved.solver.keys["keep_elites"].as_integer(), Some(5));
        let entries = resolved.cost_entries().unwrap();
        let found: Vec<(&str, f64)> = entries.iter().map(|(name, weight, _)| (name.as_str(), *weight)).collect();
        assert_eq!(found, [("distance", 2.0), ("reachability", 5.0)]);
        assert_eq!(entries[0].2["steps"].as_str(), Some("summed"));
        let (name, enforce, keys) = &resolved.constraint_entries().unwrap()[0];
        assert_eq!((name.as_str(), *enforce, keys["steps_per_action"].as_float()), ("reachable", true, Some(2.0)));
        let written = toml::to_string(&resolved).unwrap();
        assert_eq!(toml::from_str::<PlanConfig>(&written).unwrap(), resolved);
        assert_eq!(resolved.resolve(&Parts::default()).unwrap(), resolved);
        let default = PlanConfig::default().resolve(&Parts::default()).unwrap();
        assert_eq!(default.cost_entries().unwrap()[0].0, "latent");
    }

    #[test]
    fn keys_at_fault_are_named_in_full() {
        let refused = |text: &str| {
            let config: PlanConfig = toml::from_str(text).unwrap();
            config.resolve(&Parts::default()).unwrap_err()
        };
        let message = refused("[solver]\nkind = \"ceem\"");
        assert!(message.contains("plan.solver: there is no solver `ceem`; did you mean `cem`?"), "{message}");
        assert_eq!(refused("[solver]\nkind = \"cem\"\nsamples = 0"), "plan.solver.samples is 0, but must be 1 or more");
        let message = refused("[costs.distance]\nstep = \"last\"");
        assert!(message.contains("did you mean `plan.costs.distance.steps`?"), "{message}");
        assert_eq!(refused("[costs]\nlatent = -1"), "plan.costs.latent is -1, but must be 0 or more");
        assert_eq!(
            refused("[constraints]\nreachable = 1"),
            "plan.constraints.reachable is 1, but must be a table of its keys, which may be empty"
        );
        assert_eq!(
            refused("[constraints.reachable]\nenforce = 1"),
            "plan.constraints.reachable.enforce is 1, but must be true or false"
        );
        let message = refused("[constraints.reachable]\nenforc = true");
        assert!(message.contains("unknown key `plan.constraints.reachable.enforc`"), "{message}");
    }

    #[test]
    fn the_schema_has_the_keys_of_all_parts() {
        let schema = PlanConfig::schema(&Parts::default());
        let check = |text: &str| schema::check_keys("plan", &text.parse().unwrap(), &schema);
        check("horizon = 1\ncosts = { latent = 1 }\nsolver = { kind = \"mppi\", temperature = 1 }").unwrap();
        check("[constraints.reachable]\nslack = 1\nenforce = false\n[costs.latent]\nweight = 2\nsteps = \"last\"")
            .unwrap();
        for (text, hint) in [
            ("horizn = 1", "plan.horizon"),
            ("[solver]\nkind = \"cem\"\nelite = 1", "plan.solver.elites"),
            ("[costs]\nlatnt = 1", "plan.costs.latent"),
            ("[costs.latent]\nstep = 1", "plan.costs.latent.steps"),
            ("[constraints.reachable]\nslak = 1", "plan.constraints.reachable.slack"),
            ("[constraints.reachable]\nenforc = true", "plan.constraints.reachable.enforce"),
            ("[[constraints.keep-out.regions]]\nkind = \"box\"\nlo = [1]", "plan.constraints.keep-out.regions.0.low"),
        ] {
            let message = check(text).unwrap_err();
            assert!(message.contains(&format!("did you mean `{hint}`?")), "{message}");
        }
    }
}
