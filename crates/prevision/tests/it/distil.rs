//! A reflex of a run: learned, alone, as a proposal.

use std::fs;

use crate::support::{episodes_experiment, refused, stdout, succeed, text};

fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_str(&stdout(output)).expect("JSON")
}

#[test]
fn distil_then_plan_alone_and_with_what_it_proposes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file, run) = (folder.path().join("episodes"), folder.path().join("e.toml"), folder.path().join("run"));
    fs::write(&file, episodes_experiment(&data)).expect("a file");
    succeed(&["demo", text(&file), "--run", text(&run), "--record", "16"]);
    let run = text(&run);
    let named = ["--set", "plan.reflex.file=reflex.safetensors"];
    refused(
        &[&["plan", run][..], &named].concat(),
        2,
        &["plan.reflex.file", "reflex.safetensors: there is none; `prevision distil` makes it"],
    );

    let distil = ["distil", run, "--episodes", "9", "--steps", "30", "--json", "-"];
    let first = json(&succeed(&distil));
    assert_eq!((first["policy"].as_str(), first["horizon"].as_u64()), (Some("planner/icem"), Some(4)));
    assert!(first["plans"].as_u64().expect("a number") >= 9, "{first}");
    for error in ["reflex", "mean", "zero"] {
        assert!(first["error"][error].as_f64().expect("a number") > 0.0, "{first}");
    }
    let again = json(&succeed(&distil));
    assert_eq!(again["error"], first["error"], "what is learned depends on the seed alone");

    let plan = |keys: &[&str]| json(&succeed(&[&["plan", run, "--json", "-"], &named[..], keys].concat()));
    let alone = plan(&["--set", "plan.reflex.alone=true"]);
    assert_eq!((alone["policy"].as_str(), alone["solver"].as_str()), (Some("planner/reflex"), Some("reflex")));
    let proposed = plan(&["--set", "plan.solver.samples=4", "--set", "plan.memory.places=met.safetensors"]);
    assert_eq!(proposed["policy"], "guided/planner/reflex-icem");

    // Trained on, the model is another one.
    let longer = ["train", text(&file), "--run", run, "--resume", "--set", "train.steps=60"];
    succeed(&longer);
    refused(&[&["plan", run][..], &named].concat(), 2, &["plan.reflex.file", "other weights"]);
    refused(&["distil", run, "--set", "train.steps=1"], 2, &["train.steps"]);
    refused(&["distil", run, "--episodes", "0"], 2, &["--episodes is 0"]);
}
