//! Each bad input gives one clear message and the right exit code, and leaves nothing behind.

use std::fs;

use crate::support::{command, episodes_experiment, refused, stderr, succeed, text, video, videos_experiment};

#[test]
fn a_typo_in_an_experiment_names_the_nearest_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("typo.toml");
    fs::write(&file, "[optimizer]\nweight_decai = 1e-3\n[train]\nsteps = 1\n").expect("a file");
    refused(&["train", text(&file)], 2, &["typo.toml", "optimizer.weight_decai", "weight_decay"]);
    fs::write(&file, "[train]\nstep = 5\n").expect("a file");
    refused(&["train", text(&file)], 2, &["typo.toml", "train.step", "steps"]);
    fs::write(&file, "[train]\nsteps = \"many\"\n").expect("a file");
    refused(&["train", text(&file)], 2, &["typo.toml", "train.steps", "many"]);
    fs::write(&file, "[train]\nsteps = 5\n[data.source]\nkind = \"videos\"\npath = \"x\"\n").expect("a file");
    refused(&["train", text(&file), "--set", "optimizer.lr=-1"], 2, &["optimizer.lr", "-1"]);
}

#[test]
fn keys_of_a_world_do_not_stand_beside_frozen_tasks() {
    let key = "env.two-rooms.layout=fixed";
    refused(
        &["plan", "run", "--tasks", "tasks.json", "--set", key],
        2,
        &["--set env.two-rooms.layout=fixed", "tasks.json"],
    );
    refused(&["plan", "run", "--tasks", "gone.json"], 1, &["gone.json"]);
}

#[test]
fn a_level_that_the_processor_lacks_is_named_with_those_it_has() {
    let output = command(&["bench", "rollout"]).env("PREVISION_LEVEL", "avx9").output().expect("the binary starts");
    let expected = "error: PREVISION_LEVEL is avx9, but must be a level of this processor: portable";
    assert!(output.status.code() == Some(2) && stderr(&output).contains(expected), "{}", stderr(&output));
}

#[test]
fn missing_and_unusable_videos_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let noise = folder.path().join("noise.mp4");
    fs::write(&noise, "this is no video").expect("a file");
    refused(&["data", "probe", text(&noise)], 1, &["noise.mp4"]);
    refused(&["data", "probe", "gone.mp4"], 1, &["gone.mp4"]);
    let out = folder.path().join("frames");
    refused(&["data", "frames", text(&noise), "--index", "0", "--out", text(&out)], 1, &["noise.mp4"]);
    assert!(!out.exists());
    let good = folder.path().join("good.mp4");
    video(&good, 6, 0);
    refused(&["data", "frames", text(&good), "--index", "6", "--out", text(&out)], 2, &["--index 6", "6 frames"]);
    succeed(&["data", "frames", text(&good), "--index", "5,0", "--out", text(&out)]);
    assert!(out.join("frame_000005.png").exists() && out.join("frame_000000.png").exists());
}

/// The binary of these tests is built without the feature.
#[cfg(not(feature = "object-store"))]
#[test]
fn an_address_without_object_storage_names_the_feature() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, out) = (folder.path().join("e.toml"), folder.path().join("out"));
    fs::write(&file, videos_experiment("s3://bucket/clips".as_ref(), 4)).expect("a file");
    let manifest = folder.path().join("list.txt");
    fs::write(&manifest, "s3://bucket/a.mp4 1\n").expect("a file");
    let feature = "build it with the cargo feature object-store";
    for (arguments, address) in [
        (vec!["data", "probe", "s3://bucket/a.mp4"], "s3://bucket/a.mp4"),
        (vec!["data", "frames", "https://host/a.mp4", "--index", "0", "--out", text(&out)], "https://host/a.mp4"),
        (vec!["data", "bench", "s3://bucket/clips", "--clips", "1"], "s3://bucket/clips"),
        (vec!["data", "bench", text(&manifest), "--clips", "1"], "s3://bucket/a.mp4"),
        (vec!["data", "prepare", "s3://bucket/clips", "--out", text(&out)], "s3://bucket/clips"),
        (vec!["train", text(&file), "--run", text(&out)], "s3://bucket/clips"),
    ] {
        refused(&arguments, 1, &[address, feature]);
        assert!(!out.exists(), "{arguments:?}");
    }
}

#[test]
fn a_file_with_sound_only_has_no_video_stream() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/derived/audio_only.m4a");
    if fs::exists(path).unwrap_or(false) {
        refused(&["data", "probe", path], 1, &["audio_only.m4a", "no video stream"]);
    }
}

#[test]
fn data_that_cannot_be_trained_on_leave_no_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file, run) = (folder.path().join("videos"), folder.path().join("e.toml"), folder.path().join("run"));
    fs::write(&file, videos_experiment(&data, 4)).expect("a file");
    let train = ["train", text(&file), "--run", text(&run)];
    refused(&train, 1, &["videos"]);
    assert!(!run.exists());
    fs::create_dir(&data).expect("a folder");
    refused(&train, 1, &["videos"]);
    for index in 0..3 {
        video(&data.join(format!("{index}.mp4")), 8, index);
    }
    refused(&train, 2, &["batch_size", "4"]);
    assert!(!run.exists());
}

#[test]
fn a_run_folder_that_exists_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file, run) = (folder.path().join("episodes"), folder.path().join("e.toml"), folder.path().join("run"));
    fs::write(&file, episodes_experiment(&data)).expect("a file");
    fs::create_dir(&run).expect("a folder");
    fs::write(run.join("mine.txt"), "mine").expect("a file");
    succeed(&["data", "generate", "two-rooms", "--episodes", "8", "--steps", "20", "--out", text(&data)]);
    refused(&["train", text(&file), "--run", text(&run)], 1, &["run", "--resume"]);
    assert_eq!(fs::read_to_string(run.join("mine.txt")).expect("the file"), "mine");
    refused(&["train", text(&file), "--run", text(&folder.path().join("new")), "--resume"], 2, &["--resume", "new"]);
    refused(&["data", "generate", "two-rooms", "--out", text(&data)], 1, &["episodes"]);
    refused(&["data", "generate", "three-rooms", "--out", "x"], 2, &["three-rooms", "two-rooms"]);
    refused(&["eval", text(&folder.path().join("none"))], 1, &["none"]);
}

#[test]
fn a_backend_that_was_not_built_in_is_said_so() {
    if cfg!(feature = "wgpu") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("e.toml");
    fs::write(&file, videos_experiment(folder.path(), 1)).expect("a file");
    refused(&["train", text(&file), "--device", "wgpu"], 2, &["--device wgpu", "--features wgpu"]);
}
