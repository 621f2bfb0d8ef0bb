//! The parts of an evaluation.

use std::fmt;
use std::str::FromStr;

use crate::EvalError;

/// One part of an evaluation, to be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suite {
    /// `rollout`: the error of predicted latents against baselines.
    Rollout,
    /// `probe`: positions read from latents; left out when the data have no state.
    Probe,
    /// `collapse`: how many dimensions the latents use.
    Collapse,
    /// `retrieval`: whether a predicted latent is nearest to its own future.
    Retrieval,
}

impl Suite {
    /// Every suite.
    pub const ALL: [Self; 4] = [Self::Rollout, Self::Probe, Self::Collapse, Self::Retrieval];

    /// The name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rollout => "rollout",
            Self::Probe => "probe",
            Self::Collapse => "collapse",
            Self::Retrieval => "retrieval",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Suite {
    type Err = EvalError;

    fn from_str(name: &str) -> Result<Self, EvalError> {
        Self::ALL.into_iter().find(|suite| suite.name() == name).ok_or_else(|| EvalError::UnknownSuite {
            given: name.to_owned(),
            allowed: Self::ALL.map(Self::name).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for suite in Suite::ALL {
            assert_eq!(suite.to_string().parse::<Suite>().unwrap(), suite);
        }
        let message = "rolout".parse::<Suite>().unwrap_err().to_string();
        assert_eq!(message, "\"rolout\" is no evaluation suite, expected one of rollout, probe, collapse, retrieval");
    }
}
