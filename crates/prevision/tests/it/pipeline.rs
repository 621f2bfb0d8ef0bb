//! Every stage on real files, small.

use std::fs;

use crate::support::{episodes_experiment, refused, stdout, succeed, text, video, videos_experiment};

fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_str(&stdout(output)).expect("JSON")
}

#[test]
fn record_train_evaluate_plan_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file, run) = (folder.path().join("episodes"), folder.path().join("e.toml"), folder.path().join("run"));
    fs::write(&file, episodes_experiment(&data)).expect("a file");
    let arguments = ["demo", text(&file), "--run", text(&run), "--record", "16", "--json", "-"];
    let summary = json(&succeed(&arguments));
    assert_eq!(summary["train"]["steps"], 30);
    assert_eq!(summary["train"]["frames"], 30 * 4 * 9);
    assert_eq!(summary["eval"]["rollout"].as_array().expect("a list").len(), 2);
    assert!(summary["eval"]["probe"]["position_px"].as_f64().expect("a number") > 0.0);
    assert!(summary["eval"]["collapse"]["rankme"].as_f64().expect("a number") >= 1.0);
    let plan = &summary["plan"];
    assert_eq!(plan["episodes"].as_u64().unwrap() + plan["excluded_solved_at_start"].as_u64().unwrap(), 3);
    assert_eq!(plan["interval"].as_array().expect("a pair").len(), 2);
    assert!(plan["success_rate_at_end"].is_number());
    let written: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("summary.json")).expect("the summary")).expect("JSON");
    assert_eq!(written["plan"]["success_rate"], plan["success_rate"]);
    let page = fs::read_to_string(run.join("report.html")).expect("the report");
    assert!(page.contains("<svg") && page.contains("data:video/mp4;base64,"));
    assert!(!page.contains("http://") || !page.contains("src=\"http"), "the page loads nothing from a network");

    // The verbs by themselves on the same run.
    let collapse = json(&succeed(&["eval", text(&run), "--suite", "collapse", "--json", "-"]));
    assert!(collapse.get("rollout").is_none() && collapse["collapse"]["std_mean"].is_number());
    let again = json(&succeed(&["plan", text(&run), "--json", "-"]));
    assert_eq!(again["per_episode"], plan["per_episode"], "plans depend on the seed alone");
    let random = json(&succeed(&["plan", text(&run), "--solver", "random", "--episodes", "2", "--json", "-"]));
    assert_eq!(random["solver"], "random");
    let adapting = ["--set", "plan.adaptation.rate=0.3", "--set", "plan.execute=1"];
    let adapted = json(&succeed(&[&["plan", text(&run), "--json", "-"][..], &adapting].concat()));
    assert_eq!(adapted["policy"], "adapting/planner/icem");
    let [plans, episodes] = ["plans", "episodes"].map(|key| adapted[key].as_u64().expect("a count"));
    assert_eq!(adapted["adaptation"]["transitions"], plans - episodes, "nothing comes before the first plan");
    let [trained, adapted] = ["error_trained", "error_adapted"].map(|key| adapted["adaptation"][key].as_f64());
    assert!(trained.expect("a number") > 0.0 && trained != adapted, "{trained:?} {adapted:?}");
    succeed(&["report", text(&run)]);
    let page = fs::read_to_string(run.join("report.html")).expect("the report");
    assert!(
        page.contains("Success over operations: two-rooms")
            && page.contains("two-rooms, adapting/planner/icem: spread")
    );
}

#[test]
fn multi_view_model_of_a_folder_of_videos() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (data, file, run, weights) = (at("videos"), at("e.toml"), at("run"), at("encoder.safetensors"));
    fs::create_dir(&data).expect("a folder");
    for index in 0..10 {
        video(&data.join(format!("clip {index}.mp4")), 9, 3 * index);
    }
    let experiment = format!(
        "[data]\nframes = 4\nsize = 32\nbatch_size = 4\nvalidation_fraction = 0.4\n[data.source]\nkind = \"videos\"\npath = {:?}\n\
         [model]\nkind = \"multi-view\"\n[model.encoder]\ndim = 24\ndepth = 1\nheads = 2\npatch = 8\ntubelet = 1\nclass_token = true\n\
         attention = \"block-causal\"\n[model.projector]\nhidden = 16\ndim = 8\n[model.views]\nlocal = 2\nsize = 16\ndrop = 0.5\n\
         [objective]\nsigreg = {{ weight = 2, statistic = \"lewm\", directions = 16 }}\n[train]\nsteps = 3\n",
        text(&data)
    );
    fs::write(&file, experiment).expect("a file");
    succeed(&["train", text(&file), "--run", text(&run)]);
    let results = json(&succeed(&["eval", text(&run), "--json", "-"]));
    assert!(results["collapse"]["rankme"].is_number(), "{results}");
    assert!(results.get("rollout").is_none() && results.get("retrieval").is_none(), "nothing is predicted: {results}");
    succeed(&["report", text(&run)]);
    let told = succeed(&[
        "probe",
        text(&run),
        text(&data),
        "--task",
        "speed",
        "--set",
        "task.speed.steps=[1,2]",
        "--head",
        "knn",
        "--json",
        "-",
    ]);
    assert_eq!(json(&told)["tasks"][0]["task"], "speed");
    let told = stdout(&succeed(&["import", text(&run), "--out", text(&weights)]));
    assert!(told.contains("multi-view") && told.contains("projector"), "{told}");
    let export = at("export");
    refused(&["export", text(&weights), "--out", text(&export)], 1, &["models of the kind multi-view are not written"]);
    assert!(!export.exists());
}

#[test]
fn masked_model_of_a_folder_of_videos() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("my videos");
    fs::create_dir(&data).expect("a folder");
    for index in 0..12 {
        video(&data.join(format!("clip {index}.mp4")), 9, 3 * index);
    }
    let (file, run) = (folder.path().join("e.toml"), folder.path().join("run"));
    fs::write(&file, videos_experiment(&data, 4)).expect("a file");
    succeed(&["train", text(&file), "--run", text(&run), "--set", "data.validation_fraction=0.4"]);
    let results = json(&succeed(&["eval", text(&run), "--json", "-"]));
    assert!(results["rollout"][0]["copy"].is_number() && results["collapse"]["rankme"].is_number());
    assert!(results.get("probe").is_none());
    succeed(&["report", text(&run)]);
    assert!(run.join("report.html").exists());
}
