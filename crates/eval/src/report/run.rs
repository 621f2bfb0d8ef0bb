//! What a run folder holds, as far as a report shows it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::EvalError;

/// Bytes of video that a page carries, at most.
const VIDEO_BYTES: usize = 32 * 1024 * 1024;

/// The contents of a run folder.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// The folder's name.
    pub(super) name: String,
    /// `config.toml`.
    pub(super) config: Option<String>,
    /// The lines of `metrics.jsonl`.
    pub(super) metrics: Vec<Value>,
    /// The training summary.
    pub(super) train: Option<Value>,
    /// Evaluations by name, sorted.
    pub(super) evals: Vec<(String, Value)>,
    /// Planning results by name, sorted.
    pub(super) plans: Vec<(String, Value)>,
    /// How plans were searched for, by the name of the planning result, sorted.
    pub(super) traces: Vec<(String, Value)>,
    /// `levels.json`: what `prevision levels` has measured.
    pub(super) levels: Option<Value>,
    /// The planning result that was written last: the videos are of its episodes.
    pub(super) newest_plan: Option<usize>,
    /// Videos by name, sorted.
    pub(super) videos: Vec<EpisodeVideo>,
    /// Names of videos that did not fit the page.
    pub(super) omitted: Vec<String>,
}

/// A video to embed.
#[derive(Debug)]
pub(super) struct EpisodeVideo {
    /// File name without extension.
    pub(super) name: String,
    /// `data:` address with the whole file.
    pub(super) address: String,
    /// Whether it is a video; a GIF otherwise.
    pub(super) video: bool,
}

impl Run {
    pub(super) fn read(root: &Path) -> Result<Self, EvalError> {
        fs::read_dir(root).map_err(|source| failed(root, source))?;
        let name = root.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let summary = json(&root.join("summary.json"))?;
        // A demo's summary holds the three results side by side.
        let part = |key: &str| summary.as_ref().and_then(|summary| summary.get(key)).filter(|part| part.is_object());
        let mut run = Self {
            name: name.unwrap_or_else(|| root.display().to_string()),
            levels: json(&root.join("levels.json"))?,
            config: text(&root.join("config.toml"))?,
            metrics: metrics(&root.join("metrics.jsonl"))?,
            train: part("train").or(summary.as_ref()).cloned(),
            ..Self::default()
        };
        (run.evals, _) = results(&root.join("eval"))?;
        if let (true, Some(eval)) = (run.evals.is_empty(), part("eval")) {
            run.evals.push(("summary".to_owned(), eval.clone()));
        }
        (run.plans, run.newest_plan) = results(&root.join("plan"))?;
        if let (true, Some(plan)) = (run.plans.is_empty(), part("plan")) {
            run.plans.push(("summary".to_owned(), plan.clone()));
            run.newest_plan = Some(0);
        }
        (run.traces, _) = results(&root.join("plan/traces"))?;
        run.read_videos(&root.join("videos"))?;
        Ok(run)
    }

    fn read_videos(&mut self, folder: &Path) -> Result<(), EvalError> {
        let files = list(folder)?;
        let extension = |path: &Path| path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let mut room = VIDEO_BYTES;
        for path in &files {
            let video = match extension(path).as_deref() {
                Some("mp4") => true,
                Some("gif") if !files.contains(&path.with_extension("mp4")) => false,
                _ => continue,
            };
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let size = fs::metadata(path).map_err(|source| failed(path, source))?.len() as usize;
            if size > room {
                self.omitted.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
                continue;
            }
            room -= size;
            let bytes = fs::read(path).map_err(|source| failed(path, source))?;
            let kind = if video { "video/mp4" } else { "image/gif" };
            self.videos.push(EpisodeVideo {
                name,
                address: format!("data:{kind};base64,{}", STANDARD.encode(bytes)),
                video,
            });
        }
        Ok(())
    }
}

fn failed(path: &Path, source: std::io::Error) -> EvalError {
    EvalError::Io { path: path.to_owned(), source }
}

fn text(path: &Path) -> Result<Option<String>, EvalError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed(path, source)),
    }
}

fn json(path: &Path) -> Result<Option<Value>, EvalError> {
    let parse = |text: String| serde_json::from_str(&text);
    text(path)?.map(parse).transpose().map_err(|source| EvalError::Format {
        path: path.to_owned(),
        expected: "JSON",
        source,
    })
}

/// The lines of `metrics.jsonl`. A last line that a kill cut short is left out.
fn metrics(path: &Path) -> Result<Vec<Value>, EvalError> {
    let Some(text) = text(path)? else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        match serde_json::from_str(line) {
            Ok(value) => lines.push(value),
            Err(_) if !line.ends_with('\n') => {}
            Err(source) => {
                return Err(EvalError::Format { path: path.to_owned(), expected: "a JSON object a line", source });
            }
        }
    }
    Ok(lines)
}

/// The files of a folder, sorted; none if there is no folder.
fn list(folder: &Path) -> Result<Vec<PathBuf>, EvalError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(folder, source)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(|source| failed(folder, source))?;
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    paths.retain(|path| path.is_file() && !hidden(path));
    paths.sort();
    Ok(paths)
}

/// A result by its file name without extension.
type Named = (String, Value);

/// The JSON files of a folder by name, and the place of the one written last.
fn results(folder: &Path) -> Result<(Vec<Named>, Option<usize>), EvalError> {
    let mut found = Vec::new();
    let mut newest: Option<(SystemTime, usize)> = None;
    for path in list(folder)? {
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        if let Some(value) = json(&path)? {
            let written = fs::metadata(&path).and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            if newest.is_none_or(|(time, _)| written >= time) {
                newest = Some((written, found.len()));
            }
            found.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), value));
        }
    }
    Ok((found, newest.map(|(_, place)| place)))
}
