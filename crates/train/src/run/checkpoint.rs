//! Checkpoints: folders that appear whole, the newest of which a run resumes from.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::module::Module;
use prevision_core::Spaces;
use prevision_model::weights;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::{RunFolder, write_atomically};
use crate::TrainError;
use crate::optimizer::Optimizer;

/// Where a training stood when a checkpoint was written; `state.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointState {
    /// Optimiser steps done. The loader, the schedules and every random choice follow from it and the seed.
    pub step: u64,
    /// Frames seen.
    pub frames: u64,
    /// Seconds of training, over all parts of the run.
    pub seconds: f64,
    /// Seed of the run.
    pub seed: u64,
    /// The clips the model was built for.
    pub spaces: Spaces,
}

/// A checkpoint that is complete on disk.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// Where the training stood.
    pub state: CheckpointState,
    /// The resolved experiment it belongs to.
    pub config: Table,
}

impl Checkpoint {
    /// The file with the model's weights.
    pub fn weights(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// The file with the optimiser's state.
    pub fn optimizer(&self) -> PathBuf {
        self.path.join("optimizer.safetensors")
    }

    fn read(path: PathBuf) -> Result<Self, TrainError> {
        let read = |name: &str| {
            let file = path.join(name);
            fs::read_to_string(&file).map(|text| (file.clone(), text)).map_err(|source| TrainError::read(&file, source))
        };
        let (file, text) = read("state.json")?;
        let state = serde_json::from_str(&text).map_err(|error| TrainError::format(&file, error))?;
        let (file, text) = read("config.toml")?;
        let config = text.parse::<Table>().map_err(|error| TrainError::format(&file, error))?;
        Ok(Self { path, state, config })
    }
}

impl RunFolder {
    /// The checkpoint named by `checkpoints/latest` or, should that file be missing or name none, the one with the most
    /// steps. Folders that were not finished have other names and are not seen.
    ///
    /// # Errors
    /// If a file of the checkpoint cannot be read.
    pub fn latest_checkpoint(&self) -> Result<Option<Checkpoint>, TrainError> {
        let folder = self.path("checkpoints");
        let steps = checkpoint_steps(&folder)?;
        let named = fs::read_to_string(folder.join("latest")).ok().and_then(|name| step_of(name.trim()));
        let step = named.filter(|step| steps.contains(step)).or_else(|| steps.last().copied());
        step.map(|step| Checkpoint::read(self.checkpoint_path(step))).transpose()
    }

    /// As [`latest_checkpoint`](Self::latest_checkpoint), of a run that must have one.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] if it has none; if a file of the checkpoint cannot be read.
    pub fn trained(&self) -> Result<Checkpoint, TrainError> {
        self.latest_checkpoint()?.ok_or_else(|| TrainError::NoRun {
            path: self.root().to_owned(),
            message: "it has no checkpoint; train it first".to_owned(),
        })
    }

    /// Where the checkpoint after `step` steps is, or would be.
    pub(crate) fn checkpoint_path(&self, step: u64) -> PathBuf {
        self.path("checkpoints").join(format!("step-{step}"))
    }

    /// Writes a checkpoint, points `latest` at it and removes all but the newest `keep`.
    ///
    /// # Errors
    /// If anything cannot be written; the checkpoints before it are then still whole.
    pub(crate) fn save_checkpoint<M: Module>(
        &self,
        model: &M,
        optimizer: &Optimizer,
        state: &CheckpointState,
        config: &Table,
        keep: usize,
    ) -> Result<PathBuf, TrainError> {
        let folder = self.path("checkpoints");
        fs::create_dir_all(&folder).map_err(|source| TrainError::write(&folder, source))?;
        remove_unfinished(&folder)?;
        let name = format!("step-{}", state.step);
        let (path, temporary) = (folder.join(&name), folder.join(format!(".{name}.partial")));
        let written = write_into(&temporary, model, optimizer, state, config).and_then(|()| {
            if path.exists() {
                // Left by a kill before `latest` was written, or the same step trained again.
                rename(&path, &folder.join(format!(".{name}.old.partial")))?;
            }
            rename(&temporary, &path)
        });
        if let Err(error) = written {
            // Room on a full disk matters more than a second error.
            let _ = fs::remove_dir_all(&temporary);
            return Err(error);
        }
        write_atomically(&folder.join("latest"), name.as_bytes())?;
        let steps = checkpoint_steps(&folder)?;
        let older: Vec<u64> = steps.into_iter().filter(|step| *step < state.step).collect();
        for step in &older[..(older.len() + 1).saturating_sub(keep)] {
            let old = folder.join(format!("step-{step}"));
            rename(&old, &folder.join(format!(".step-{step}.old.partial")))?;
        }
        remove_unfinished(&folder)?;
        Ok(path)
    }
}

fn write_into<M: Module>(
    folder: &Path,
    model: &M,
    optimizer: &Optimizer,
    state: &CheckpointState,
    config: &Table,
) -> Result<(), TrainError> {
    fs::create_dir(folder).map_err(|source| TrainError::write(folder, source))?;
    let weights_file = folder.join("model.safetensors");
    weights::save(model, &weights_file)?;
    File::open(&weights_file)
        .and_then(|file| file.sync_all())
        .map_err(|source| TrainError::write(&weights_file, source))?;
    optimizer.save(model, &folder.join("optimizer.safetensors"))?;
    write_atomically(&folder.join("config.toml"), config.to_string().as_bytes())?;
    let file = folder.join("state.json");
    let text = serde_json::to_vec_pretty(state).map_err(|error| TrainError::format(&file, error))?;
    write_atomically(&file, &text)
}

fn rename(from: &Path, to: &Path) -> Result<(), TrainError> {
    fs::rename(from, to).map_err(|source| TrainError::write(to, source))
}

fn step_of(name: &str) -> Option<u64> {
    name.strip_prefix("step-")?.parse().ok()
}

/// The steps of all finished checkpoints, ascending.
fn checkpoint_steps(folder: &Path) -> Result<Vec<u64>, TrainError> {
    let names = match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| TrainError::read(folder, source))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(TrainError::read(folder, source)),
    };
    let mut steps: Vec<u64> = names.iter().filter_map(|name| step_of(name.to_str()?)).collect();
    steps.sort_unstable();
    Ok(steps)
}

/// Removes what a kill left half written or half removed.
fn remove_unfinished(folder: &Path) -> Result<(), TrainError> {
    let entries = fs::read_dir(folder).map_err(|source| TrainError::read(folder, source))?;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') && path.extension().is_some_and(|extension| extension == "partial") {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|source| TrainError::write(&path, source))?;
        }
    }
    Ok(())
}
