//! The event files, which `tests/tensorboard/read_events.py` reads with TensorBoard itself.

use std::fs;
use std::path::Path;

use prevision_train::RunFolder;

use crate::world::{ACTION, experiment, train_until};

/// The payloads of the records of an event file.
fn records(bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((length, tail)) = rest.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
        records.push(&tail[4..4 + length]);
        rest = &tail[4 + length + 4..];
    }
    records
}

#[test]
fn tensorboard_files_hold_scalars_pictures_and_histograms() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tensorboard-run");
    let _ = fs::remove_dir_all(&root);
    let run = RunFolder::create(&root).unwrap();
    let config = experiment(ACTION, &[]);
    train_until(&config, &run, 7).unwrap();
    // As if it had been killed: steps 5 to 7 are told twice, and the reader must drop the first account.
    fs::remove_dir_all(run.path("checkpoints/step-7")).unwrap();
    train_until(&config, &run, 0).unwrap();
    let mut files: Vec<_> = fs::read_dir(run.path("tensorboard")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2, "one for each part of the run: {files:?}");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let records = records(&bytes);
        let holds =
            |bytes: &[u8]| records.iter().any(|record| record.windows(bytes.len()).any(|window| window == bytes));
        assert!(holds(b"\x89PNG"), "no picture in {}", file.display());
        for tag in [
            "brain.Event:2",
            "loss/prediction",
            "learning_rate",
            "latents/std",
            "gradients/encoder.",
            "parameters/predictor.",
        ] {
            assert!(holds(tag.as_bytes()), "no {tag} in {}", file.display());
        }
    }
}
