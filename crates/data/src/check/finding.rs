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
    /// The video, if it is about one of plain videos.
    pub file: Option<String>,
    /// The camera or column, if it is about one.
    pub stream: Option<String>,
    /// What was found and what was expected.
    pub message: String,
}

impl Finding {
    pub(super) fn error(check: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, check, episode: None, file: None, stream: None, message: message.into() }
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
        match (&self.file, self.episode) {
            (Some(file), _) => write!(f, "  {file}")?,
            (None, Some(episode)) => write!(f, "  episode {episode}")?,
            (None, None) => {}
        }
        if let Some(stream) = self.stream.as_ref().filter(|_| self.file.is_none()) {
            write!(f, "  {stream}")?;
        }
        write!(f, "  {}", self.message)
    }
}
