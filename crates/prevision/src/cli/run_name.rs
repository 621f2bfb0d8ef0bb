//! The folder of a run that was not named.

use std::path::{Path, PathBuf};

/// `runs/<name>`: the experiment file's name, or its folder's if the file is called `experiment.toml`.
pub(crate) fn default_run(experiment: &Path) -> PathBuf {
    let stem = experiment.file_stem().and_then(|name| name.to_str()).unwrap_or("run");
    let folder = experiment.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let name = if stem == "experiment" { folder.unwrap_or(stem) } else { stem };
    Path::new("runs").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_after_its_experiment() {
        assert_eq!(default_run(Path::new("experiments/two-rooms/experiment.toml")), Path::new("runs/two-rooms"));
        assert_eq!(default_run(Path::new("mine.toml")), Path::new("runs/mine"));
        assert_eq!(default_run(Path::new("experiment.toml")), Path::new("runs/experiment"));
    }
}
