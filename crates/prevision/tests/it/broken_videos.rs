//! A thousand good videos and three broken ones.

use std::fs;

use crate::support::{stdout, succeed, text, video, videos_experiment};

#[test]
fn a_few_broken_files_do_not_stop_a_training() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("videos");
    fs::create_dir(&data).expect("a folder");
    // A thousand names for fifty different videos.
    for index in 0..50 {
        video(&data.join(format!("{index:04}.mp4")), 8, index);
    }
    for index in 50..1000 {
        fs::hard_link(data.join(format!("{:04}.mp4", index % 50)), data.join(format!("{index:04}.mp4")))
            .expect("a link");
    }
    for name in ["a-broken.mp4", "m-broken.mp4", "z-broken.mp4"] {
        fs::write(data.join(name), "no video at all").expect("a file");
    }
    let (file, run) = (folder.path().join("e.toml"), folder.path().join("run"));
    fs::write(&file, videos_experiment(&data, 16)).expect("a file");
    // Enough steps for one pass over the training videos, so that each broken one in it is met.
    let output = succeed(&["train", text(&file), "--run", text(&run), "--set", "train.steps=60", "--json", "-"]);
    let summary: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let skipped = summary["skipped_files"].as_array().expect("a list");
    assert!((1..=3).contains(&skipped.len()), "{skipped:?}");
    assert!(
        skipped.iter().all(|file| file["path"].as_str().is_some_and(|path| path.contains("-broken"))),
        "{skipped:?}"
    );
    assert_eq!(summary["steps"], 60);
}
