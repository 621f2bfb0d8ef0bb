//! Where a run keeps its files.

use std::fs;
use std::path::{Path, PathBuf};

use prevision_core::folder_lock::{self, FolderLock};
use serde::Serialize;
use toml::Table;

use super::write_atomically;
use crate::TrainError;

/// The folder of one run:
///
/// ```text
/// config.toml                     the resolved experiment
/// metrics.jsonl                   a line of metrics every few steps
/// tensorboard/                    the same for TensorBoard, with pictures and histograms
/// checkpoints/step-<n>/           model.safetensors, optimizer.safetensors, config.toml, state.json
/// checkpoints/latest              name of the newest checkpoint's folder
/// summary.json                    the result of the training
/// ```
///
/// Other parts of the framework add `eval/`, `plan/`, `videos/` and `report.html`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Starts a new run; the folder may exist if it is empty.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] if there is anything in it; if it cannot be made.
    pub fn create(root: &Path) -> Result<Self, TrainError> {
        let write = |source| TrainError::write(root, source);
        fs::create_dir_all(root).map_err(write)?;
        if fs::read_dir(root).map_err(write)?.next().is_some() {
            return Err(TrainError::RunExists { path: root.to_owned() });
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Opens the folder of an earlier run, to resume it or to use what it holds.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] if there is no `config.toml` in it.
    pub fn open(root: &Path) -> Result<Self, TrainError> {
        let run = Self { root: root.to_owned() };
        if run.path("config.toml").is_file() {
            Ok(run)
        } else {
            Err(TrainError::NoRun { path: root.to_owned(), message: "it has no config.toml".to_owned() })
        }
    }

    /// Takes the folder for this process, until the value is dropped.
    ///
    /// # Errors
    /// [`TrainError::RunInUse`] if another one has it; if it cannot be opened.
    pub fn lock(&self) -> Result<FolderLock, TrainError> {
        let lock = folder_lock::try_lock(&self.root).map_err(|source| TrainError::read(&self.root, source))?;
        lock.ok_or_else(|| TrainError::RunInUse { path: self.root.clone() })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file or folder in it, for example `path("plan/results.json")`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The resolved experiment of the run.
    ///
    /// # Errors
    /// If `config.toml` cannot be read or is not TOML.
    pub fn config(&self) -> Result<Table, TrainError> {
        let path = self.path("config.toml");
        let text = fs::read_to_string(&path).map_err(|source| TrainError::read(&path, source))?;
        text.parse::<Table>().map_err(|error| TrainError::format(&path, error))
    }

    /// Writes a file of the run, whole or not at all, and the folders it is in.
    ///
    /// # Errors
    /// If it cannot be written; the message names it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, TrainError> {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| TrainError::write(folder, source))?;
        }
        write_atomically(&path, bytes)?;
        Ok(path)
    }

    /// [`write`](Self::write) for a result, as indented JSON.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<PathBuf, TrainError> {
        let mut text = serde_json::to_vec_pretty(value).map_err(|error| TrainError::format(&self.path(name), error))?;
        text.push(b'\n');
        self.write(name, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_run_does_not_touch_an_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("runs/a");
        let run = RunFolder::create(&root).unwrap();
        RunFolder::create(&root).expect("still empty");
        assert!(RunFolder::open(&root).unwrap_err().to_string().contains("no config.toml"));
        run.write("config.toml", b"seed = 1\n[train]\nsteps = 1\n").unwrap();
        let lock = run.lock().unwrap();
        let message = run.lock().unwrap_err().to_string();
        assert!(message.contains("runs/a: another process trains in this run folder"), "{message}");
        drop(lock);
        run.lock().unwrap();
        let message = RunFolder::create(&root).unwrap_err().to_string();
        assert!(message.contains("runs/a") && message.contains("is not empty"), "{message}");
        assert_eq!(RunFolder::open(&root).unwrap().config().unwrap()["seed"].as_integer(), Some(1));
        run.write("config.toml", b"seed = ").unwrap();
        let message = RunFolder::open(&root).unwrap().config().unwrap_err().to_string();
        assert!(message.contains("runs/a/config.toml"), "{message}");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_names_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(folder.path()).unwrap();
        run.write("plan/a.json", b"old").unwrap();
        let message = run.write("plan/a.json/b.json", b"x").unwrap_err().to_string();
        assert!(message.contains("plan/a.json"), "{message}");
        assert_eq!(fs::read(run.path("plan/a.json")).unwrap(), b"old");
        assert_eq!(fs::read_dir(run.path("plan")).unwrap().count(), 1, "no temporary file is left");
    }
}
