//! `metrics.jsonl`: one line of JSON every few steps.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use prevision_data::SkippedFile;
use serde::Serialize;

use crate::TrainError;
use crate::run::write_atomically;

/// One line of metrics.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line<'a> {
    /// Optimiser steps done.
    pub(crate) step: u64,
    /// Frames seen.
    pub(crate) frames: u64,
    /// Seconds of training.
    pub(crate) seconds: f64,
    /// The total and the unweighted terms, means since the last line.
    pub(crate) loss: &'a BTreeMap<String, f64>,
    /// Learning rate of the last step.
    pub(crate) learning_rate: f64,
    /// Mean norm of all gradients before clipping, since the last line.
    pub(crate) gradient_norm: f64,
    /// Momentum of the target encoder at the last step, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) momentum: Option<f64>,
    /// Clips per second since the last line.
    pub(crate) clips_per_second: f64,
    /// Files found unusable since the last line.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) skipped: &'a [SkippedFile],
}

/// The file, open for appending.
pub(crate) struct MetricsFile {
    path: PathBuf,
    file: File,
    /// The losses of the last line that was there when the file was opened.
    pub(crate) last_loss: BTreeMap<String, f64>,
}

impl MetricsFile {
    /// Opens the file and drops the lines after `step`, and one that a kill cut short.
    pub(crate) fn open(path: &Path, step: u64) -> Result<Self, TrainError> {
        let write = |source| TrainError::write(path, source);
        let mut last_loss = BTreeMap::new();
        match fs::read_to_string(path) {
            Ok(text) => {
                let kept: String = text.split_inclusive('\n').filter(|line| is_until(line, step)).collect();
                if kept != text {
                    write_atomically(path, kept.as_bytes())?;
                }
                let last = kept.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
                let loss = last.and_then(|line| serde_json::from_value(line.get("loss")?.clone()).ok());
                last_loss = loss.unwrap_or_default();
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(TrainError::read(path, source)),
        }
        let file = File::options().create(true).append(true).open(path).map_err(write)?;
        Ok(Self { path: path.to_owned(), file, last_loss })
    }

    /// Appends a line.
    pub(crate) fn append(&mut self, line: &Line<'_>) -> Result<(), TrainError> {
        let mut text = serde_json::to_string(line).map_err(|error| TrainError::format(&self.path, error))?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).map_err(|source| TrainError::write(&self.path, source))
    }
}

fn is_until(line: &str, step: u64) -> bool {
    line.ends_with('\n')
        && serde_json::from_str::<serde_json::Value>(line)
            .is_ok_and(|value| value.get("step").and_then(serde_json::Value::as_u64).is_some_and(|found| found <= step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_after_the_checkpoint_and_broken_ones_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let loss = BTreeMap::from([("total".to_owned(), 0.5)]);
        let line = |step| Line {
            step,
            frames: 160 * step,
            seconds: 1.5,
            loss: &loss,
            learning_rate: 1e-3,
            gradient_norm: 2.0,
            momentum: None,
            clips_per_second: 4.0,
            skipped: &[],
        };
        let mut file = MetricsFile::open(&path, 0).unwrap();
        for step in [10, 20, 30] {
            file.append(&line(step)).unwrap();
        }
        fs::write(&path, fs::read_to_string(&path).unwrap() + "{\"step\":3").unwrap();
        let mut file = MetricsFile::open(&path, 20).unwrap();
        assert_eq!(file.last_loss, loss);
        file.append(&line(25)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let steps: Vec<&str> = text.lines().filter_map(|line| line.split([':', ',']).nth(1)).collect();
        assert_eq!(steps, ["10", "20", "25"]);
        let first = "{\"step\":10,\"frames\":1600,\"seconds\":1.5,\"loss\":{\"total\":0.5},\"learning_rate\":0.001,\"gradient_norm\":2.0,\"clips_per_second\":4.0}";
        assert_eq!(text.lines().next(), Some(first));
    }
}
