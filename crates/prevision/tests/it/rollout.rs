//! A world model of stable-worldmodel, from the command line: import, encode, rollout, export, and a run to plan with.

use std::fs;
use std::path::{Path, PathBuf};

use super::encode::{json, read};
use crate::support::{refused, stdout, succeed, text, video};

/// A small LeWM that stable-worldmodel has written: frames of 32 x 32, latents of 24 numbers, actions of 4.
fn checkpoint() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/stable_worldmodel/golden/lewm")
}

/// Writes a `.npy` file.
fn npy(path: &Path, shape: &[usize], values: &[f32]) {
    let shape = shape.iter().fold(String::new(), |text, length| text + &length.to_string() + ", ");
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    header.extend(std::iter::repeat_n(' ', 63 - (header.len() + 10) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    fs::write(path, bytes).expect("a file");
}

fn actions(count: usize) -> Vec<f32> {
    (0..count).map(|place| ((place * 37) % 19) as f32 / 9.0 - 1.0).collect()
}

#[test]
fn what_follows_actions_is_imagined() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, clip, out) = (at("lewm.safetensors"), at("a.mp4"), at("out.safetensors"));
    let table = stdout(&succeed(&["import", text(&checkpoint()), "--out", text(&model)]));
    assert!(table.contains("kind        lewm") && table.contains("actions     4 numbers"), "{table}");
    assert!(table.contains("whole pictures whose shorter side is 32"), "{table}");
    video(&clip, 12, 0);
    let table = stdout(&succeed(&["encode", text(&model), text(&clip), "--out", text(&out)]));
    assert!(table.contains("latents     [12, 1, 24]"), "{table}");
    let (tensors, described) = read(&out);
    let latents = tensors["latents"].1.clone();
    assert_eq!((tensors["times"].0.as_slice(), described["family"].as_str()), (&[12, 2][..], Some("lewm")));
    let film = at("pca.mp4");
    let draw = ["encode", text(&model), text(&clip), "--out", text(&out), "--pca", text(&film)];
    refused(&draw, 2, &["--pca", "they have no patches"]);
    succeed(&["encode", text(&model), text(&clip), "--frames", "4", "--stride", "2", "--out", text(&out)]);
    let windows = read(&out).0["latents"].clone();
    assert_eq!(
        (windows.0.as_slice(), &windows.1[4 * 24..]),
        (
            &[5, 4, 24][..],
            &{
                let window = |first: usize| latents[first * 24..(first + 4) * 24].to_vec();
                [window(2), window(4), window(6), window(8)].concat()
            }[..]
        )
    );

    npy(&at("actions.npy"), &[3, 5, 4], &actions(60));
    let rollout = |more: &[&str]| {
        let file = at("actions.npy");
        let all = [&["rollout", text(&model), "--actions", text(&file), "--out", text(&out)], more].concat();
        stdout(&succeed(&all))
    };
    let table = rollout(&[text(&clip), "--past", "0,3", "--goal", "9"]);
    assert!(table.contains("3 samples of 4 steps") && table.contains("nearest     sample"), "{table}");
    let (tensors, described) = read(&out);
    assert_eq!(tensors["past"].1, [&latents[..24], &latents[3 * 24..4 * 24]].concat());
    assert_eq!(tensors["goal"].1, latents[9 * 24..10 * 24]);
    assert_eq!((tensors["imagined"].0.as_slice(), described["frames"].to_string()), (&[3, 4, 24][..], "[0,3]".into()));
    for sample in 0..3 {
        let last = &tensors["imagined"].1[(sample * 4 + 3) * 24..][..24];
        let cost: f32 = last.iter().zip(&tensors["goal"].1).map(|(a, b)| (a - b).powi(2)).sum();
        assert!((cost / tensors["cost"].1[sample] - 1.0).abs() < 1e-5);
    }
    let imagined = tensors["imagined"].1.clone();
    // The same frames as model input.
    rollout(&[text(&clip)]);
    assert!(!read(&out).0.contains_key("cost"));
    rollout(&[text(&clip), "--past", "0,3", "--precision", "bf16"]);
    let rounded = read(&out).0["imagined"].1.clone();
    let apart = rounded.iter().zip(&imagined).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(apart > 0.0 && apart < 0.5, "{apart}");

    let back = at("back");
    succeed(&["export", text(&model), "--out", text(&back)]);
    assert!(back.join("weights.pt").is_file() && back.join("config.json").is_file());
    let again = json(&succeed(&["import", text(&back), "--out", text(&at("again.safetensors")), "--json", "-"]));
    let first = json(&succeed(&["import", text(&checkpoint()), "--out", text(&model), "--json", "-"]));
    assert_eq!(again["spec"]["weights"], first["spec"]["weights"]);
}

#[test]
fn frames_of_an_array_are_seen_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, out) = (at("lewm.safetensors"), at("out.safetensors"));
    succeed(&["import", text(&checkpoint()), "--out", text(&model)]);
    let frames = actions(4 * 3 * 16 * 24);
    npy(&at("frames.npy"), &[4, 3, 16, 24], &frames);
    npy(&at("actions.npy"), &[2, 3, 4], &actions(24));
    let (file, sequences) = (at("frames.npy"), at("actions.npy"));
    let given = ["--tensor", text(&file), "--actions", text(&sequences), "--out", text(&out)];
    succeed(&[&["rollout", text(&model), "--past", "1,2"], &given[..]].concat());
    let past = read(&out).0["past"].1.clone();
    // Two windows of two frames, in the order that videos have.
    let moved: Vec<f32> = (0..2)
        .flat_map(|window| (0..3).flat_map(move |channel| (0..2).map(move |frame| (window * 2 + frame) * 3 + channel)))
        .flat_map(|plane| frames[plane * 16 * 24..][..16 * 24].to_vec())
        .collect();
    npy(&at("clips.npy"), &[2, 3, 2, 16, 24], &moved);
    succeed(&["encode", text(&model), "--tensor", text(&at("clips.npy")), "--out", text(&out)]);
    let latents = read(&out).0["latents"].clone();
    assert_eq!((latents.0.as_slice(), &latents.1[24..72]), (&[2, 2, 24][..], &past[..]));
}

#[test]
fn a_run_of_it_plans() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, run, experiment) = (at("lewm.safetensors"), at("run"), at("push-t.toml"));
    let toml = r#"
[data]
frames = 4
frame_step = 2
[data.source]
kind = "episodes"
path = "episodes"
[objective.prediction]
rollout_steps = 3
[env]
name = "push-t"
[env.push-t]
size = 32
[train]
steps = 1
[plan]
episodes = 1
horizon = 2
execute = 1
max_steps = 2
[plan.solver]
kind = "cem"
samples = 8
elites = 2
iterations = 2
[plan.costs.latent]
weight = 1
steps = "last"
"#;
    fs::write(&experiment, toml).expect("a file");
    let import = |more: &[&str]| {
        let checkpoint = checkpoint();
        let all = [
            "import",
            text(&checkpoint),
            "--out",
            text(&model),
            "--run",
            text(&run),
            "--experiment",
            text(&experiment),
        ];
        [&all.map(str::to_owned)[..], &more.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()].concat()
    };
    let refuse = |more: &[&str], names: &[&str]| {
        let all = import(more);
        refused(&all.iter().map(String::as_str).collect::<Vec<_>>(), 2, names);
        assert!(!run.exists(), "{more:?}");
    };
    refuse(&["--set", "env.push-t.size=64"], &["push-t shows 64 x 64", "32 x 32"]);
    refuse(&["--set", "data.frame_step=5"], &["actions of 10 numbers", "data.frame_step = 5", "must take 4"]);
    refuse(&["--action-std", "0.5,0"], &["--action-std", "above 0"]);
    refuse(&["--action-mean", "1,2,3"], &["--action-mean", "a part of 4"]);
    let all = import(&["--action-mean", "0.1,-0.1", "--action-std", "0.5,0.25"]);
    let table = stdout(&succeed(&all.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(table.contains("run         "), "{table}");
    let table = stdout(&succeed(&["plan", text(&run)]));
    assert!(table.contains("of 1 episodes"), "{table}");
    refused(&all.iter().map(String::as_str).collect::<Vec<_>>(), 1, &["run"]);
}

#[test]
fn what_cannot_be_imagined_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, clip, out, sequences) = (at("lewm.safetensors"), at("a.mp4"), at("out.safetensors"), at("actions.npy"));
    succeed(&["import", text(&checkpoint()), "--out", text(&model)]);
    video(&clip, 4, 0);
    npy(&sequences, &[2, 2, 4], &actions(16));
    let rollout = |more: &[&str], names: &[&str]| {
        let base = ["rollout", text(&model), "--actions", text(&sequences), "--out", text(&out)];
        refused(&[&base[..], more].concat(), 2, names);
        assert!(!out.exists(), "{more:?}");
    };
    let clip = text(&clip);
    rollout(&[clip, "--past", "0,4"], &["no frame 4", "there are 4"]);
    rollout(&[clip, "--goal", "9"], &["no frame 9"]);
    rollout(&[clip, "--past", "0,1,2"], &["shape [2, 2, 4]", "3 actions or more"]);
    rollout(&[], &["VIDEO"]);
    npy(&sequences, &[2, 2, 3], &actions(12));
    rollout(&[clip], &["shape [2, 2, 3]", "actions of 4 numbers"]);
    npy(&sequences, &[1, 1, 4], &[0.0, 1.0, f32::NAN, 0.0]);
    rollout(&[clip], &["number 2 is NaN"]);
    npy(&at("odd.npy"), &[1, 3, 20, 16], &actions(960));
    npy(&sequences, &[1, 1, 4], &actions(4));
    rollout(&["--tensor", text(&at("odd.npy"))], &["frames of 16 x 20", "multiples of 8"]);
    refused(&["encode", text(&model), clip, "--layers", "1", "--out", text(&out)], 2, &["--layers", "world model"]);
    let vit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/transformers/golden/vit");
    succeed(&["import", text(&vit), "--out", text(&model)]);
    rollout(&[clip], &["a vit, which imagines nothing"]);
}
