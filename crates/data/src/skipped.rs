//! The list of videos that could not be used.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// A video that could not be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// The file.
    #[serde(with = "prevision_storage::path_text")]
    pub path: PathBuf,
    /// Why it was skipped.
    pub reason: SkipReason,
}

/// Why a video was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SkipReason {
    /// It has fewer frames than a clip spans.
    TooShort {
        /// What it has, for example `12 frames`.
        has: String,
        /// What a clip needs.
        needs: String,
    },
    /// Its frames have another size than the other videos'.
    OtherSize {
        /// Its width and height.
        found: (usize, usize),
        /// Width and height of the data set's clips.
        expected: (usize, usize),
    },
    /// It cannot be opened or decoded.
    Broken(String),
}

impl fmt::Display for SkippedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { has, needs } => {
                write!(f, "too short: has {has}, a clip needs {needs}")
            }
            Self::OtherSize { found, expected } => write!(
                f,
                "is {}x{}, the other videos are {}x{} (data.size brings them to one size)",
                found.0, found.1, expected.0, expected.1
            ),
            Self::Broken(message) => write!(f, "broken: {message}"),
        }
    }
}

/// One skipped file a line, for an error message; a long list is cut.
pub(crate) fn lines(skipped: &[SkippedFile]) -> String {
    const SHOWN: usize = 50;
    let mut shown: Vec<String> = skipped.iter().take(SHOWN).map(ToString::to_string).collect();
    if skipped.len() > SHOWN {
        shown.push(format!("and {} more", skipped.len() - SHOWN));
    }
    format!("\n  {}", shown.join("\n  "))
}

/// Skipped videos by index, shared by the worker threads.
///
/// It only counts and names. Which clip takes the place of one of a skipped video is decided by the request alone, never by what is
/// in here, so that results do not depend on which worker met a broken file first.
#[derive(Default)]
pub(crate) struct SkippedList {
    skipped: Mutex<BTreeMap<usize, SkippedFile>>,
}

impl SkippedList {
    /// Notes that a video was skipped; the first time it is also logged.
    pub(crate) fn add(&self, video: usize, file: SkippedFile) {
        let mut skipped = self.lock();
        skipped.entry(video).or_insert_with(|| {
            tracing::warn!("skipped {file}");
            file
        });
    }

    /// All skipped videos in the order of their index.
    pub(crate) fn list(&self) -> Vec<SkippedFile> {
        self.lock().values().cloned().collect()
    }

    /// Whether all of `videos` are skipped, or more than the allowed share of them for another reason than that they are too short. A
    /// single one of several is always allowed, unless the share is 0.
    pub(crate) fn is_too_long(&self, videos: usize, allowed: f64) -> bool {
        let skipped = self.lock();
        let broken = skipped.values().filter(|file| !matches!(file.reason, SkipReason::TooShort { .. })).count();
        let bearable = if allowed > 0.0 { ((allowed * videos as f64).floor() as usize).max(1) } else { 0 };
        broken > bearable || (videos > 0 && skipped.len() >= videos)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, SkippedFile>> {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataError;

    fn file(name: &str) -> SkippedFile {
        SkippedFile { path: name.into(), reason: SkipReason::Broken("no moov".into()) }
    }

    #[test]
    fn the_share_decides_but_one_is_always_bearable() {
        let skipped = SkippedList::default();
        assert!(!skipped.is_too_long(3, 0.1));
        skipped.add(1, file("b.mp4"));
        skipped.add(1, file("b.mp4"));
        assert!(!skipped.is_too_long(3, 0.1), "one of three");
        assert!(skipped.is_too_long(3, 0.0), "none allowed");
        assert!(skipped.is_too_long(1, 0.5), "the only one");
        skipped.add(0, file("a.mp4"));
        assert!(!skipped.is_too_long(20, 0.1), "two of twenty");
        assert!(skipped.is_too_long(19, 0.1));
        let short = SkipReason::TooShort { has: "3 frames".into(), needs: "4".into() };
        for video in 2..19 {
            skipped.add(video, SkippedFile { path: "c.mp4".into(), reason: short.clone() });
        }
        assert!(!skipped.is_too_long(20, 0.1), "two broken ones of twenty");
        assert!(skipped.is_too_long(19, 0.5), "none is left");
        skipped.lock().retain(|&video, _| video < 2);
        let message = DataError::TooManyBroken { skipped: skipped.list(), videos: 19, allowed: 0.1 }.to_string();
        assert_eq!(
            message,
            "2 of 19 videos are broken, more than data.max_broken_fraction = 0.1 allows:\n  a.mp4: broken: no moov\n  b.mp4: broken: no moov"
        );
    }
}
