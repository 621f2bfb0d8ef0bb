//! Slower models from training to the choice of how many to plan with, on the command line.

use std::fs;

use crate::support::{episodes_experiment, refused, stdout, succeed, text};

fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_str(&stdout(output)).expect("JSON")
}

#[test]
fn levels_are_trained_measured_chosen_and_planned_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file, run) = (folder.path().join("episodes"), folder.path().join("e.toml"), folder.path().join("run"));
    succeed(&["data", "generate", "two-rooms", "--episodes", "16", "--steps", "20", "--out", text(&data)]);
    let slower = "\n[objective.levels]\nweight = 1\n[[model.levels]]\nstride = 4\nhidden = 8\nrounds = 1\n";
    fs::write(&file, episodes_experiment(&data) + slower).expect("a file");
    let few = ["--set", "train.steps=10", "--set", "train.checkpoint_every=10"];
    let trained = succeed(&[&["train", text(&file), "--run", text(&run), "--json", "-"][..], &few].concat());
    assert!(json(&trained)["final_loss"]["levels"].as_f64().expect("a number") > 0.0);

    let small = ["--set", "plan.hierarchy.most=40", "--set", "plan.hierarchy.samples=4"];
    let levels = ["levels", text(&run), "--episodes", "2", "--json", "-"];
    let choice = json(&succeed(&[&levels[..], &small].concat()));
    assert_eq!(choice["measured"].as_array().expect("a list").len(), 2);
    let written: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("levels.json")).expect("the choice")).expect("JSON");
    assert_eq!(written, choice);
    let chosen = json(&succeed(&[&["plan", text(&run), "--json", "-"][..], &small].concat()));
    let named = chosen["policy"].as_str().expect("a name").starts_with("2-levels/");
    assert_eq!(named, choice["levels"] == 2, "{choice}");

    let plan = ["plan", text(&run), "--set", "plan.hierarchy.levels=2", "--json", "-"];
    let both = [&plan[..], &small, &["--set", "plan.memory.places=\"places.safetensors\""]].concat();
    let both = json(&succeed(&both));
    assert_eq!(both["policy"], "guided/2-levels/planner/icem");
    assert!(run.join("places.safetensors").exists());
    let three = ["plan", text(&run), "--set", "plan.hierarchy.levels=3"];
    refused(&three, 2, &["plan.hierarchy.levels is 3, but must be 2 or less"]);
    let other = folder.path().join("other");
    let untrained = ["train", text(&file), "--run", text(&other), "--set", "objective.levels.weight=0"];
    refused(&untrained, 2, &["model.levels", "objective.levels"]);
    let long = ["train", text(&file), "--run", text(&other), "--set", "data.frames=4"];
    refused(&long, 2, &["rollout_steps"]);
}
