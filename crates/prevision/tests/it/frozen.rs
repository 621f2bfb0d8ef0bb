//! An encoder that was trained here, frozen in a world model: import, train, landscape.

use std::fs;

use crate::support::{refused, stdout, succeed, text};

#[test]
fn a_run_becomes_the_encoder_of_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (data, encoder, run) = (at("episodes"), at("encoder.safetensors"), at("run"));
    succeed(&["data", "generate", "two-rooms", "--episodes", "8", "--out", text(&data)]);
    let masked = "[data]\nframes = 4\nsize = 32\nbatch_size = 2\nworkers = 0\n[model]\nkind = \"masked\"\n\
                  [model.encoder]\ndim = 24\ndepth = 1\nheads = 2\npatch = 16\n[model.predictor]\nwidth = 24\ndepth = 1\nheads = 2\n\
                  [train]\nsteps = 2\n[data.source]\nkind = \"videos\"\npath = ";
    fs::write(at("masked.toml"), format!("{masked}{:?}\n", data.join("pixels"))).expect("a file");
    let video = at("video");
    succeed(&["train", text(&at("masked.toml")), "--run", text(&video)]);
    let imported = stdout(&succeed(&["import", text(&video), "--out", text(&encoder)]));
    assert!(imported.contains("masked") && imported.contains("left out"), "{imported}");

    let acting = format!(
        "[data]\nframes = 4\nsize = 32\nbatch_size = 4\nvalidation_fraction = 0.4\nworkers = 0\n\
         [data.source]\nkind = \"episodes\"\npath = {data:?}\nvectors = [\"state\"]\nstate = \"\"\n\
         [model]\nproprioception = \"state\"\n[model.encoder]\nkind = \"pretrained\"\npath = {encoder:?}\ncache = {:?}\n\
         [model.predictor]\nkind = \"block-causal\"\nwidth = 24\ndepth = 1\nheads = 2\n\
         [objective.prediction]\nrollout_steps = 2\nteacher_forcing = 1\n[train]\nsteps = 2\n[eval]\nhorizons = [1, 3]\n",
        at("latents")
    );
    fs::write(at("acting.toml"), acting).expect("a file");
    refused(
        &["train", text(&at("acting.toml")), "--run", text(&run), "--set", "model.encoder.path=nothing.safetensors"],
        2,
        &["model.encoder.path", "nothing.safetensors"],
    );
    succeed(&["train", text(&at("acting.toml")), "--run", text(&run)]);
    assert!(fs::read_dir(at("latents")).expect("kept latents").count() == 1);
    // The run has the weights: the file may go.
    fs::remove_file(&encoder).expect("a file");
    let results = stdout(&succeed(&["eval", text(&run), "--suite", "rollout", "--json", "-"]));
    assert!(results.contains("\"interval\""), "{results}");
    let landscape = succeed(&["landscape", text(&run), "--frames", "6", "--side", "5", "--steps", "2", "--json", "-"]);
    let landscape: serde_json::Value = serde_json::from_str(&stdout(&landscape)).expect("JSON");
    assert_eq!((landscape["frames"].as_u64(), landscape["steps"].as_u64()), (Some(6), Some(2)));
    let first = &landscape["landscapes"][0];
    assert_eq!(first["energy"].as_array().map(Vec::len), Some(5));
    assert!(landscape["over_chance"].as_f64().is_some_and(|ratio| ratio > 0.0 && ratio < 3.0), "{landscape}");
    assert!(fs::read_to_string(run.join("eval/landscape.svg")).expect("a drawing").ends_with("</svg>\n"));
    refused(&["landscape", text(&run), "--axes", "0,2"], 2, &["axis 2 of actions of 2 numbers"]);
    refused(&["landscape", text(&run), "--steps", "4"], 2, &["4 steps to the goal", "1 to 3"]);
    refused(&["landscape", text(&video)], 2, &["models of kind masked do not imagine actions"]);
}
