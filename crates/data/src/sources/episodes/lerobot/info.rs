//! `meta/info.json` of a `LeRobot` data set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::DataError;
use crate::files::content;

/// Where the file is.
pub(super) const INFO: &str = "meta/info.json";

/// What the file says, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Info {
    /// `v2.1`, `v3.0`.
    pub(super) codebase_version: String,
    pub(super) fps: f64,
    #[serde(default = "default_chunk")]
    pub(super) chunks_size: usize,
    data_path: String,
    #[serde(default)]
    video_path: Option<String>,
    /// Number of all episodes.
    #[serde(default)]
    pub(super) total_episodes: Option<usize>,
    pub(super) features: BTreeMap<String, Feature>,
}

fn default_chunk() -> usize {
    1000
}

/// One stream of the data set.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Feature {
    /// `video`, `image`, `string`, or a type of numbers as numpy names it.
    pub(super) dtype: String,
    /// Axes of a value.
    #[serde(default)]
    pub(super) shape: Option<Vec<usize>>,
}

impl Feature {
    pub(super) fn is_video(&self) -> bool {
        self.dtype == "video"
    }

    /// Whether its frames are pictures in the files of columns.
    pub(super) fn is_image(&self) -> bool {
        self.dtype == "image"
    }

    pub(super) fn is_numeric(&self) -> bool {
        !matches!(self.dtype.as_str(), "video" | "image" | "string" | "language")
    }
}

/// The layouts that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 2.0 and 2.1: a file of columns, and of each camera a video, for every episode.
    Two,
    /// 3: several episodes in a file.
    Three,
}

impl Info {
    /// Reads the file of a data set.
    ///
    /// # Errors
    /// If it cannot be read or says what makes no sense.
    pub(super) fn read(root: &Path) -> Result<Self, DataError> {
        let path = root.join(INFO);
        let bad = |message: String| DataError::format(&path, message);
        let info: Self = serde_json::from_slice(&content::read(&path)?).map_err(|error| bad(error.to_string()))?;
        info.version().map_err(bad)?;
        if !(info.fps.is_finite() && info.fps > 0.0) {
            return Err(bad(format!("fps is {}, expected a number above 0", info.fps)));
        }
        if info.chunks_size == 0 {
            return Err(bad("chunks_size is 0, expected a number above 0".to_owned()));
        }
        Ok(info)
    }

    pub(super) fn version(&self) -> Result<Version, String> {
        match self.codebase_version.strip_prefix('v').and_then(|version| version.split('.').next()) {
            Some("2") => Ok(Version::Two),
            Some("3") => Ok(Version::Three),
            _ => Err(format!("codebase_version is {:?}, expected v2.0, v2.1 or v3.0", self.codebase_version)),
        }
    }

    /// Numbers of a column in so many rows, at most.
    pub(super) fn numbers(&self, name: &str, rows: usize) -> usize {
        let shape = self.features.get(name).and_then(|feature| feature.shape.as_deref()).unwrap_or(&[]);
        let width = shape.iter().fold(1_usize, |width, &axis| width.saturating_mul(axis.max(1)));
        if shape.is_empty() { usize::MAX } else { rows.saturating_mul(width) }
    }

    /// Checks the number of episodes that are listed.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn check_count(&self, listed: usize) -> Result<(), String> {
        match self.total_episodes {
            Some(total) if total != listed => Err(format!("lists {listed} episodes, {INFO} says {total}")),
            _ => Ok(()),
        }
    }

    /// Names of the features of which this holds, sorted.
    pub(super) fn names(&self, which: impl Fn(&Feature) -> bool) -> Vec<String> {
        self.features.iter().filter(|(_, feature)| which(feature)).map(|(name, _)| name.clone()).collect()
    }

    /// A file of columns.
    pub(super) fn data_file(&self, chunk: usize, file: usize) -> Result<PathBuf, String> {
        fill(&self.data_path, &numbers(chunk, file, "")).map_err(|message| format!("data_path: {message}"))
    }

    /// A video of a camera.
    pub(super) fn video_file(&self, camera: &str, chunk: usize, file: usize) -> Result<PathBuf, String> {
        let template = self.video_path.as_ref().ok_or("video_path is missing, but there are videos")?;
        fill(template, &numbers(chunk, file, camera)).map_err(|message| format!("video_path: {message}"))
    }
}

/// What the templates of both versions name.
fn numbers(chunk: usize, file: usize, camera: &str) -> [(&'static str, Value<'_>); 6] {
    [
        ("chunk_index", Value::Number(chunk)),
        ("file_index", Value::Number(file)),
        ("episode_chunk", Value::Number(chunk)),
        ("episode_index", Value::Number(file)),
        ("video_key", Value::Text(camera)),
        ("image_key", Value::Text(camera)),
    ]
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Number(usize),
    Text(&'a str),
}

/// Fills in a template as Python's `str.format` does: `{name}`, and `{name:03d}` for a number with zeros in front.
fn fill(template: &str, values: &[(&str, Value)]) -> Result<PathBuf, String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        filled.push_str(before);
        let (field, tail) = tail.split_once('}').ok_or_else(|| format!("a bracket is not closed in {template:?}"))?;
        let (name, format) = field.split_once(':').unwrap_or((field, ""));
        let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let width = format.trim_start_matches('0').trim_end_matches('d');
        let text = match (value, width.parse::<usize>()) {
            (Some(Value::Number(number)), Ok(width)) if width < 100 => format!("{number:0width$}"),
            (Some(Value::Number(number)), _) if format.is_empty() => number.to_string(),
            (Some(Value::Text(text)), _) if format.is_empty() => text.to_owned(),
            _ => return Err(format!("what {{{field}}} stands for in {template:?} is not known")),
        };
        filled.push_str(&text);
        rest = tail;
    }
    filled.push_str(rest);
    let path = PathBuf::from(filled);
    let inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if inside { Ok(path) } else { Err(format!("{template:?} leads out of the data set")) }
}

#[cfg(test)]
mod tests {
    use super::{fill, numbers};

    #[test]
    fn templates_of_both_versions() {
        let fill = |template| fill(template, &numbers(2, 17, "observation.images.top"));
        let two = fill("videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4").unwrap();
        assert_eq!(two.to_str().unwrap(), "videos/chunk-002/observation.images.top/episode_000017.mp4");
        let three = fill("videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4").unwrap();
        assert_eq!(three.to_str().unwrap(), "videos/observation.images.top/chunk-002/file-017.mp4");
        assert_eq!(fill("{chunk_index}/{file_index}").unwrap().to_str().unwrap(), "2/17");
        assert!(fill("{episode:03d}").unwrap_err().contains("{episode:03d}"));
        assert!(fill("{chunk_index").unwrap_err().contains("not closed"));
        assert!(fill("../{chunk_index}").unwrap_err().contains("leads out"));
        assert!(fill("/etc/{chunk_index}").unwrap_err().contains("leads out"));
    }
}
