//! The objective of an experiment: which terms there are, and their weights.

use burn::prelude::*;
use prevision_core::Spaces;
use prevision_core::config::{WeightedParts, within};
use toml::Table;

use crate::{LossTerms, Needs, Seen, Term, Terms};

/// Name of the term that is there unless its weight is 0.
pub(crate) const PREDICTION: &str = "prediction";

/// A weighted sum of terms.
pub struct Objective {
    /// Name, weight above 0, and term, in the order of their registration.
    terms: Vec<(String, f64, Box<dyn Term>)>,
}

impl Objective {
    /// The terms that a configuration names, the section `[objective]`, and beside them `prediction` with its defaults unless the
    /// configuration has it. A weight of 0 switches a term off.
    ///
    /// # Errors
    /// The full key, its value and what is allowed, if a term is unknown or has wrong keys, or no weight is above 0.
    pub fn new(parts: &WeightedParts, terms: &Terms) -> Result<Self, String> {
        let mut entries = within("objective", parts.entries())?;
        if terms.place(PREDICTION).is_some() && !parts.0.contains_key(PREDICTION) {
            entries.push((PREDICTION.to_owned(), 1.0, Table::new()));
        }
        // Those that are not registered have no place, and are refused below.
        entries.sort_by_key(|(name, ..)| terms.place(name));
        let mut made = Vec::new();
        for (name, weight, keys) in entries {
            let term = terms.make(&format!("objective.{name}"), &name, &keys, &())?;
            if weight > 0.0 {
                made.push((name, weight, term));
            }
        }
        if made.is_empty() {
            return Err("objective: every weight is 0, but one at least must be above 0".to_owned());
        }
        Ok(Self { terms: made })
    }

    /// What all terms together need.
    pub fn needs(&self) -> Needs {
        self.terms.iter().fold(Needs::default(), |needs, (_, _, term)| needs.and(term.needs()))
    }

    /// The name of the first term that needs something.
    pub fn first_that_needs(&self, what: impl Fn(&Needs) -> bool) -> Option<&str> {
        self.terms.iter().find(|(_, _, term)| what(&term.needs())).map(|(name, ..)| name.as_str())
    }

    /// Checks that every term can be computed of clips of these streams.
    ///
    /// # Errors
    /// The full key at fault, its value and what the clips allow.
    pub fn validate(&self, spaces: &Spaces) -> Result<(), String> {
        self.terms.iter().try_for_each(|(name, _, term)| term.validate(&format!("objective.{name}"), spaces))
    }

    /// Every term and their weighted sum; nothing is read back from the device.
    ///
    /// # Panics
    /// If something that a term needs is absent.
    pub fn terms(&self, seen: &Seen<'_>) -> LossTerms {
        let mut total: Option<Tensor<1>> = None;
        let mut terms = Vec::with_capacity(self.terms.len());
        for (name, weight, term) in &self.terms {
            let value = term.value(seen);
            let weighted = value.clone() * *weight;
            total = Some(match total {
                Some(total) => total + weighted,
                None => weighted,
            });
            terms.push((name.clone(), value.detach()));
        }
        LossTerms { total: total.expect("an objective has at least one term"), terms }
    }
}
