//! What a training leaves behind when it cannot go on.

use std::fs;
use std::sync::Arc;

use prevision_train::{Control, RunFolder, TrainError};
use tempfile::tempdir;

use crate::world::{ACTION, Fault, Square, experiment, weights};

fn train(dataset: Arc<Square>, run: &RunFolder, overrides: &[&str]) -> Result<(), TrainError> {
    experiment(ACTION, overrides).train(dataset, run, &mut Control::default()).map(|_| ())
}

#[test]
fn a_loss_that_is_no_number_stops_with_step_term_and_checkpoint() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(folder.path()).unwrap();
    // 8 clips a step: from step 6 on.
    let message = train(Square::faulty(4, Fault::Nan, 40), &run, &["data.workers=0"]).unwrap_err().to_string();
    assert!(message.contains("step 6") && message.contains("loss term `") && message.contains("is NaN"), "{message}");
    assert!(message.contains("checkpoints/step-4"), "{message}");
    assert_eq!(run.latest_checkpoint().unwrap().unwrap().state.step, 4);
    assert!(!run.path("summary.json").exists());

    let second = RunFolder::create(&folder.path().join("second")).unwrap();
    let message = train(Square::faulty(4, Fault::Nan, 0), &second, &[]).unwrap_err().to_string();
    assert!(message.contains("step 1:") && message.contains("There is no checkpoint yet"), "{message}");
}

#[test]
fn failing_data_leave_the_checkpoint() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(folder.path()).unwrap();
    let error = train(Square::faulty(4, Fault::Error, 50), &run, &["data.workers=0"]).unwrap_err();
    assert!(matches!(error, TrainError::Data(_)) && error.to_string().contains("the square is gone"), "{error}");
    assert_eq!(run.latest_checkpoint().unwrap().unwrap().state.step, 4);
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_one_before() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(folder.path()).unwrap();
    train(Square::new(4), &run, &["train.steps=4"]).unwrap();
    let good = weights(&run, 4);
    // Weights cannot be renamed onto a folder.
    fs::remove_file(run.path("checkpoints/latest")).unwrap();
    fs::create_dir_all(run.path("checkpoints/latest/in-the-way")).unwrap();
    let message = train(Square::new(4), &run, &["train.steps=8"]).unwrap_err().to_string();
    assert!(message.contains("checkpoints/latest: cannot be written"), "{message}");
    assert_eq!(weights(&run, 4), good);
    let blocked = RunFolder::create(&folder.path().join("blocked")).unwrap();
    fs::write(blocked.path("checkpoints"), "a file").unwrap();
    let message = train(Square::new(4), &blocked, &["train.steps=4"]).unwrap_err().to_string();
    assert!(message.contains("blocked/checkpoints"), "{message}");
}

#[test]
fn an_experiment_that_does_not_fit_its_data_is_refused_before_anything_is_written() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(folder.path()).unwrap();
    let message = train(Square::new(3), &run, &[]).unwrap_err().to_string();
    assert!(message.contains("objective.prediction.rollout_steps") && message.contains('3'), "{message}");
    let message = train(Square::new(4), &run, &["data.batch_size=41"]).unwrap_err().to_string();
    assert!(message.contains("data.batch_size"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
