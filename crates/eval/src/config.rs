//! `[eval]`: what is measured of a frozen model.

use prevision_core::config::check::{check, ensure};
use prevision_core::config::schema;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::{NamedSuite, Suites};

/// Results beside those of suites: no suite can have these names.
const OTHER_RESULTS: [&str; 1] = ["seconds"];

/// Configuration of the evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EvalConfig {
    /// Steps ahead at which errors are measured, in actions of the model; tubelets with a masked model. Default `[1, 2, 4, 8]`.
    pub horizons: Vec<usize>,
    /// Largest number of held-out clips. Default 256.
    pub clips: usize,
    /// Clips encoded at once. Default 32.
    pub batch_size: usize,
    /// Keys of the suites, `[eval.NAME]`.
    #[serde(flatten)]
    #[schemars(skip)]
    pub suites: Table,
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self { horizons: vec![1, 2, 4, 8], clips: 256, batch_size: 32, suites: Table::new() }
    }
}

impl EvalConfig {
    /// Checks every key, those of all suites too.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self, registry: &Suites) -> Result<(), String> {
        self.resolve(registry).map(|_| ())
    }

    /// The same with every default of the suites in place.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn resolve(&self, registry: &Suites) -> Result<Self, String> {
        ensure(!self.horizons.is_empty(), "eval.horizons", "[]", "a list of at least one number of steps")?;
        for (index, horizon) in self.horizons.iter().enumerate() {
            check(&format!("eval.horizons[{index}]"), *horizon as f64).at_least(1.0)?;
        }
        check("eval.clips", self.clips as f64).at_least(2.0)?;
        check("eval.batch_size", self.batch_size as f64).at_least(1.0)?;
        schema::check_keys("eval", &self.suites, &Self::schema(registry))?;
        let mut resolved = self.clone();
        for name in registry.names() {
            let keys = registry.resolve(&format!("eval.{name}"), name, &self.keys(name)?)?;
            if !keys.is_empty() {
                resolved.suites.insert(name.to_owned(), Value::Table(keys));
            }
        }
        Ok(resolved)
    }

    /// Makes suites, in this order and each once.
    ///
    /// # Errors
    /// A sentence with the key at fault, if a name is not registered, or a key of a suite is wrong.
    pub fn make<N: AsRef<str>>(&self, registry: &Suites, names: &[N]) -> Result<Vec<NamedSuite>, String> {
        let mut made: Vec<NamedSuite> = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            if registry.place(name).is_none() {
                // The registry names what there is.
                registry.resolve("eval", name, &Table::new())?;
            }
            let own = schema::of::<Self>();
            let taken = own.get("properties").is_some_and(|keys| keys.get(name).is_some());
            ensure(
                !taken && !OTHER_RESULTS.contains(&name),
                "eval",
                name,
                "another name: results have a key of this one",
            )?;
            if made.iter().all(|(known, _)| known != name) {
                let suite = registry.make(&format!("eval.{name}"), name, &self.keys(name)?, &())?;
                made.push((name.to_owned(), suite));
            }
        }
        Ok(made)
    }

    /// The JSON Schema of the section, with a table for each suite.
    pub fn schema(registry: &Suites) -> Schema {
        let mut all = schema::of::<Self>();
        let suites = registry.schema_by_name(false);
        let suites = suites.get("properties").and_then(|properties| properties.as_object());
        for (name, keys) in suites.into_iter().flatten() {
            schema::property(&mut all, name, keys.clone());
        }
        all.insert("additionalProperties".to_owned(), false.into());
        all
    }

    /// The keys of one suite.
    fn keys(&self, name: &str) -> Result<Table, String> {
        match self.suites.get(name) {
            None => Ok(Table::new()),
            Some(Value::Table(keys)) => Ok(keys.clone()),
            Some(other) => Err(format!("eval.{name} is {other}, but must be a table of the suite's keys")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::built_in;

    fn read(text: &str) -> EvalConfig {
        toml::from_str(text).unwrap()
    }

    fn refused(text: &str) -> String {
        read(text).validate(&built_in()).unwrap_err()
    }

    #[test]
    fn keys_of_suites_stand_under_their_name() {
        let config = read("clips = 12\n[probe]\nsteps = 30");
        config.validate(&built_in()).unwrap();
        assert_eq!(config.clips, 12);
        let resolved = read("clips = 12").resolve(&built_in()).unwrap();
        assert_eq!(resolved.suites["probe"]["steps"].as_integer(), Some(2000));
        assert_eq!(read(&toml::to_string(&resolved).unwrap()), resolved);
        let suites = config.make(&built_in(), &["collapse", "probe", "collapse"]).unwrap();
        assert_eq!(suites.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["collapse", "probe"]);
    }

    #[test]
    fn errors_name_the_key_and_what_is_allowed() {
        assert_eq!(refused("horizons = []"), "eval.horizons is [], but must be a list of at least one number of steps");
        assert_eq!(refused("horizons = [1, 0]"), "eval.horizons[1] is 0, but must be 1 or more");
        assert_eq!(refused("clips = 1"), "eval.clips is 1, but must be 2 or more");
        assert_eq!(refused("[probe]\nsteps = 0"), "eval.probe.steps is 0, but must be 1 or more");
        assert_eq!(refused("probe = 3"), "eval.probe is 3, but must be a table of the suite's keys");
        let message = refused("[prob]\nsteps = 3");
        assert!(message.contains("unknown key `eval.prob`; did you mean `eval.probe`?"), "{message}");
        let message = refused("batchsize = 3");
        assert!(message.contains("unknown key `eval.batchsize`; did you mean `eval.batch_size`?"), "{message}");
        let message = refused("[probe]\nstep = 3");
        assert!(message.contains("did you mean `eval.probe.steps`?"), "{message}");
        let message = read("").make(&built_in(), &["rolout"]).map(|_| ()).unwrap_err();
        assert_eq!(
            message,
            "eval: there is no suite `rolout`; did you mean `rollout`?\n  known: rollout, probe, collapse, retrieval"
        );
    }

    #[test]
    fn a_suite_cannot_have_the_name_of_another_result() {
        let registry = built_in().with("seconds", |_: crate::ProbeConfig, ()| Err("is never made".to_owned()));
        let message = read("").make(&registry, &["seconds"]).map(|_| ()).unwrap_err();
        assert_eq!(message, "eval is seconds, but must be another name: results have a key of this one");
    }
}
