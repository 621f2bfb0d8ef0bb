//! What a check says.

use std::fmt;

use serde::Serialize;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth a look; training may be what is wanted all the same.
    Warning,
    /// What would be learned is wrong, or the training stops.
    Error,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of fault, for programs: `action-lag`, `frozen-frames`, ...
    pub check: &'static str,
    /// The episode, if it is about one.
    pub episode: Option<usize>,
    /// The camera or column, if it is about one.
    pub stream: Option<String>,
    /// What was found and what was expected.
    pub message: String,
}

impl Finding {
    pub(super) fn error(check: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, check, episode: None, stream: None, message: message.into() }
    }

    pub(super) fn warning(check: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(check, message) }
    }

    #[must_use]
    pub(super) fn of_episode(self, episode: usize) -> Self {
        Self { episode: Some(episode), ..self }
    }

    #[must_use]
    pub(super) fn of_stream(self, stream: &str) -> Self {
        Self { stream: Some(stream.to_owned()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{severity:<7}  {:<20}", self.check)?;
        if let Some(episode) = self.episode {
            write!(f, "  episode {episode}")?;
        }
        if let Some(stream) = &self.stream {
            write!(f, "  {stream}")?;
        }
        write!(f, "  {}", self.message)
    }
}
