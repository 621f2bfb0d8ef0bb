//! One thing that is wrong.

use std::fmt;

use serde::Serialize;

use crate::EnvError;
use crate::process::{Fault, ProcessError};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Results in this world would be wrong, or there would be none.
    Error,
    /// It may be meant so.
    Warning,
}

/// Something that is wrong with a world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Name of the check that found it.
    pub check: &'static str,
    /// What was seen.
    pub message: String,
}

impl Finding {
    /// Something that must not be.
    pub(super) fn error(check: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, check, message: message.into() }
    }

    /// Something that may be meant.
    pub(super) fn warning(check: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, check, message: message.into() }
    }

    /// A failure of the world.
    pub(super) fn of(error: &EnvError) -> Self {
        let fault = match error {
            EnvError::Failed { source, .. } => source.downcast_ref::<ProcessError>().map(|error| error.fault),
            _ => None,
        };
        let check = match fault {
            Some(Fault::Start) => "start",
            Some(Fault::Ended) => "crash",
            Some(Fault::Late) => "deadline",
            Some(Fault::Protocol) => "protocol",
            Some(Fault::Unfit) => "spaces",
            Some(Fault::NotFinite) => "not-finite",
            Some(Fault::Replay) => "nondeterminism",
            Some(Fault::Refused) | None => "failure",
        };
        Self::error(check, error.to_string())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity:<8} {:<20} {}", self.check, self.message)
    }
}
