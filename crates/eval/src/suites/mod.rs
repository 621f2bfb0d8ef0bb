//! The built-in suites.

mod collapse;
mod probe;
mod retrieval;
mod rollout;

use prevision_core::config::{NoKeys, Registry};
use serde::Serialize;
use serde_json::Value;

use crate::format::number_at;
use crate::{EvalError, Series, Suite, Suites};

pub use probe::ProbeConfig;

/// The built-in suites: `rollout`, `probe`, `collapse`, `retrieval`.
pub fn built_in() -> Suites {
    Registry::new("suite")
        .with("rollout", |_: NoKeys, ()| Ok(Box::new(rollout::Rollout::default()) as Box<dyn Suite>))
        .with("probe", |config: ProbeConfig, ()| Ok(Box::new(probe::Probe::new(config)) as Box<dyn Suite>))
        .with("collapse", |_: NoKeys, ()| Ok(Box::new(collapse::CollapseSuite::default()) as Box<dyn Suite>))
        .with("retrieval", |_: NoKeys, ()| Ok(Box::new(retrieval::RetrievalSuite::default()) as Box<dyn Suite>))
}

/// Results as JSON.
fn json(results: &impl Serialize) -> Result<Value, EvalError> {
    serde_json::to_value(results).map_err(|error| EvalError::Suite(error.to_string()))
}

/// A number of every entry with a horizon, as a line over horizons.
fn over_horizons(name: &str, entries: Option<&Value>, key: &str) -> Series {
    let point = |entry: &Value| Some((number_at(entry, &["horizon"])?, number_at(entry, &[key])?));
    let points = entries.and_then(Value::as_array).into_iter().flatten().filter_map(point).collect();
    Series { name: name.to_owned(), points }
}
