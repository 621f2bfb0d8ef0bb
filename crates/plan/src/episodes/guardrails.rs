//! Constraints as judges of what really happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use prevision_env::TimeStep;
use prevision_model::WorldModel;

use crate::constraint::{Constraint, Happened};
use crate::error::PlanError;

/// A constraint by its name, and whether plans obey it.
pub struct Guardrail {
    /// Its name in results.
    pub name: String,
    /// Whether plans must satisfy it: what results say of it, since a policy is made with constraints of its own.
    pub enforced: bool,
    /// What judges.
    pub constraint: Box<dyn Constraint>,
}

/// Constraints that count how often they are violated, by whatever policy acts. They see every step of every episode and change
/// nothing.
pub struct Guardrails {
    model: Arc<dyn WorldModel>,
    rails: Vec<Guardrail>,
}

impl Guardrails {
    /// Constraints that judge by what `model` sees.
    pub fn new(model: Arc<dyn WorldModel>, rails: Vec<Guardrail>) -> Self {
        Self { model, rails }
    }

    /// Whether each of them is enforced, by name.
    pub(super) fn enforced(&self) -> BTreeMap<String, bool> {
        self.rails.iter().map(|rail| (rail.name.clone(), rail.enforced)).collect()
    }

    /// Which of the guardrails that can judge a step of some episodes were violated in it, by name, for each episode.
    ///
    /// # Errors
    /// If the world does not show what one of them needs.
    pub(super) fn judge(
        &self,
        seen: Vec<[&TimeStep; 2]>,
        positions: Vec<Option<[[f32; 2]; 2]>>,
    ) -> Result<Vec<Verdict<'_>>, PlanError> {
        let mut verdicts = vec![Verdict::new(); seen.len()];
        let happened = Happened::new(self.model.as_ref(), seen, positions);
        for Guardrail { name, constraint, .. } in &self.rails {
            let violated = constraint.violated(&happened);
            let violated = violated.map_err(|message| PlanError::Guardrail { name: name.clone(), message })?;
            for (verdict, violated) in verdicts.iter_mut().zip(violated.into_iter().flatten()) {
                verdict.push((name, violated));
            }
        }
        Ok(verdicts)
    }
}

/// Names of guardrails that judged a step of an episode, and whether it violated them.
pub(super) type Verdict<'a> = Vec<(&'a str, bool)>;
