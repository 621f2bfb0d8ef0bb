//! The keys of an experiment that say what varies, `[env.NAME.variation]`.

use std::collections::BTreeMap;

use prevision_core::config::check::message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Factor, FactorKind, Factors};

/// Which factors of a world differ between episodes, and from which values they are drawn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Variation {
    /// The factors that differ between episodes: names, all of a part of the world (`block.*`), `appearance`, `physics` or `all`.
    /// Default none: every factor has its nominal value.
    pub vary: Vec<String>,
    /// From which values they are drawn. Default `training`.
    pub range: FactorRange,
    /// Values of factors in all episodes, by name.
    pub values: BTreeMap<String, FactorValue>,
}

/// Which of the values of a factor are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FactorRange {
    /// Those that recordings for training use.
    #[default]
    Training,
    /// Those outside of them; of a factor that has none, those of training.
    HeldOut,
    /// All of them.
    All,
}

/// A value of a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FactorValue {
    /// Of one number.
    Number(f32),
    /// Of several numbers, such as a colour.
    List(Vec<f32>),
}

impl FactorValue {
    /// Its numbers.
    pub fn numbers(&self) -> &[f32] {
        match self {
            Self::Number(value) => std::slice::from_ref(value),
            Self::List(values) => values,
        }
    }
}

impl Variation {
    /// Checks the names and values against the factors of a world.
    ///
    /// # Errors
    /// The key at fault, below `[env.NAME]`.
    pub fn check(&self, factors: &Factors) -> Result<(), String> {
        for pattern in &self.vary {
            if !factors.iter().any(|factor| matches(pattern, factor)) {
                return Err(message("variation.vary", format_args!("`{pattern}`"), allowed(factors)));
            }
        }
        for (name, value) in &self.values {
            let key = format!("variation.values.{name}");
            let numbers = value.numbers();
            match factors.get(name) {
                None => return Err(format!("{key}: there is no factor `{name}`; there are {}", names(factors))),
                Some(factor) if !factor.contains(numbers) => {
                    return Err(message(&key, format_args!("{numbers:?}"), factor.bounds_text()));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Whether a factor differs between episodes.
    pub(super) fn varies(&self, factor: &Factor) -> bool {
        !self.values.contains_key(&factor.name) && self.vary.iter().any(|pattern| matches(pattern, factor))
    }
}

fn matches(pattern: &str, factor: &Factor) -> bool {
    match pattern {
        "all" => true,
        "appearance" => factor.kind == FactorKind::Appearance,
        "physics" => factor.kind == FactorKind::Physics,
        _ => match pattern.strip_suffix('*') {
            Some(part) => factor.name.starts_with(part),
            None => factor.name == pattern,
        },
    }
}

fn names(factors: &Factors) -> String {
    let names: Vec<&str> = factors.iter().map(|factor| factor.name.as_str()).collect();
    if names.is_empty() { "none in this world".to_owned() } else { names.join(", ") }
}

fn allowed(factors: &Factors) -> String {
    if factors.is_empty() {
        return "left out: nothing varies in this world".to_owned();
    }
    format!("all, appearance, physics, a part such as block.*, or one of {}", names(factors))
}
