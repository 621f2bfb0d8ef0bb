//! Models that others have trained, or that were trained here.

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::Device;
use prevision_model::pretrained::{ImportReport, Pretrained, import};
use prevision_train::RunFolder;

/// A file of `prevision import`, or the newest checkpoint of the run folder of a masked or a multi-view model.
pub(super) fn open(path: &Path, device: &Device) -> Result<Pretrained> {
    if is_run(path) {
        return Ok(bring_in(path, device)?.0);
    }
    Ok(Pretrained::load(path, device)?)
}

/// Imports a checkpoint, or the newest one of a run folder, whose name becomes the source then.
pub(in crate::verbs) fn bring_in(path: &Path, device: &Device) -> Result<(Pretrained, ImportReport)> {
    if !is_run(path) {
        return Ok(import(path, device)?);
    }
    let checkpoint: PathBuf = RunFolder::open(path)?.trained()?.path;
    let (mut model, report) = import(&checkpoint, device)?;
    model.spec.source = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok((model, report))
}

fn is_run(path: &Path) -> bool {
    path.join("checkpoints").is_dir()
}
