//! Weights of others, from the command line: import, encode, export.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prevision::core::FrameBuffer;
use prevision::video::{FrameSource as _, OpenOptions, Video};

use crate::support::{refused, stdout, succeed, text, video, videos_experiment};

/// Small checkpoints that `transformers` has written.
fn checkpoint(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/transformers/golden").join(name)
}

pub(super) fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_str(&stdout(output)).expect("JSON")
}

pub(super) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Shapes and numbers of a file's tensors, 64-bit ones as floats, and its description.
pub(super) fn read(path: &Path) -> (Tensors, serde_json::Value) {
    let bytes = fs::read(path).expect("a file");
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("8 bytes")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&rest[..length]).expect("a header");
    let description = header["__metadata__"]["description"].as_str().expect("a description");
    let mut tensors = BTreeMap::new();
    for (name, info) in header.as_object().expect("an object").iter().filter(|(name, _)| *name != "__metadata__") {
        let numbers = |key: &str| -> Vec<usize> {
            info[key].as_array().expect("a list").iter().map(|it| it.as_u64().expect("a number") as usize).collect()
        };
        let range = numbers("data_offsets");
        let bytes = &rest[length..][range[0]..range[1]];
        let values = if info["dtype"] == "F32" {
            bytes.as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it)).collect()
        } else {
            bytes.as_chunks::<8>().0.iter().map(|it| u64::from_le_bytes(*it) as f32).collect()
        };
        tensors.insert(name.clone(), (numbers("shape"), values));
    }
    (tensors, serde_json::from_str(description).expect("JSON"))
}

#[test]
fn a_video_becomes_features() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, first, second, out) = (at("model.safetensors"), at("a.mp4"), at("b.mp4"), at("features.safetensors"));
    let imported = json(&succeed(&["import", text(&checkpoint("vjepa2")), "--out", text(&model), "--json", "-"]));
    assert_eq!((imported["kind"].as_str(), imported["used"].as_u64()), (Some("vjepa2"), Some(75)));
    video(&first, 13, 0);
    video(&second, 4, 20);
    let encode =
        |more: &[&str]| json(&succeed(&[&["encode", text(&model), "--out", text(&out), "--json", "-"], more].concat()));

    let results = encode(&[text(&first), text(&second), "--stride", "2"]);
    // Windows of 4 frames that begin every 2: 5 in 13 frames, which leave out the last, and 1 in 4.
    assert_eq!((results["windows"].as_u64(), results["frames_left_out"].as_u64()), (Some(6), Some(1)));
    let (tensors, described) = read(&out);
    assert_eq!(tensors["features"].0, [6, 32, 24]);
    assert_eq!(tensors["pooled"].0, [6, 24]);
    assert_eq!(tensors["video"].1, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let times = &tensors["times"].1;
    assert!(times[0] == 0.0 && times[1] > 0.0 && times[2] > times[0] && times[10] == 0.0, "{times:?}");
    assert_eq!(
        (described["grid"].to_string(), described["weights"].clone()),
        ("[2,4,4]".to_owned(), imported["spec"]["weights"].clone())
    );
    let mean: f32 = (0..32).map(|token| tensors["features"].1[token * 24]).sum::<f32>() / 32.0;
    assert!((mean - tensors["pooled"].1[0]).abs() < 1e-5);
    let features = tensors["features"].1.clone();

    // The same windows one by one, and what is asked for of them.
    encode(&[text(&second)]);
    let alone = read(&out).0;
    assert_eq!(alone["features"].1, features[5 * 32 * 24..]);
    encode(&[text(&second), "--precision", "bf16"]);
    let rounded = read(&out).0["features"].1.clone();
    let apart = rounded.iter().zip(&alone["features"].1).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(apart > 0.0 && apart < 0.2, "{apart}");
    encode(&[text(&second), "--layers", "0,2"]);
    let layers = read(&out).0;
    assert_eq!(layers["features"].0, [1, 2, 32, 24]);
    assert_eq!(layers["features"].1[32 * 24..], alone["features"].1);
    encode(&[text(&second), "--context-mask", "0-9,31", "--as-transformers"]);
    let taken = read(&out).0;
    assert_eq!(taken["features"].0, [1, 11, 24]);
    assert_eq!(taken["features"].1[..10 * 24], alone["features"].1[..10 * 24]);
    encode(&[text(&second), "--context-mask", "0-9,31"]);
    let seen = read(&out).0;
    assert_ne!(seen["features"].1, taken["features"].1, "the rest was not seen");
    encode(&[text(&second), "--context-mask", "0-15", "--target-mask", "16-31"]);
    assert_eq!(read(&out).0["predicted"].0, [1, 16, 24]);

    let back = at("back");
    succeed(&["export", text(&model), "--out", text(&back)]);
    let again = at("again.safetensors");
    let again = json(&succeed(&["import", text(&back), "--out", text(&again), "--json", "-"]));
    assert_eq!(again["spec"]["weights"], imported["spec"]["weights"]);
}

/// Shape and numbers of a `.npy` file of 32-bit floats.
fn read_npy(path: &Path) -> (String, Vec<f32>) {
    let bytes = fs::read(path).expect("a file");
    assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!(start % 64, 0);
    let numbers = bytes[start..].as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect();
    (String::from_utf8_lossy(&bytes[10..start]).into_owned(), numbers)
}

#[test]
fn the_suffix_is_the_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, clip) = (at("model.safetensors"), at("a.mp4"));
    succeed(&["import", text(&checkpoint("vjepa2")), "--out", text(&model)]);
    video(&clip, 13, 0);
    let encode = |out: &Path, more: &[&str]| {
        let always = ["encode", text(&model), text(&clip), "--json", "-", "--out", text(out)];
        json(&succeed(&[&always, more].concat()))
    };
    let (whole, array, table) = (at("f.safetensors"), at("f.npy"), at("f.parquet"));
    encode(&whole, &[]);
    let features = read(&whole).0["features"].1.clone();
    let results = encode(&array, &[]);
    assert_eq!(results["tensors"].to_string(), r#"[{"name":"features","shape":[3,32,24]}]"#);
    let (header, numbers) = read_npy(&array);
    assert!(header.contains("'descr': '<f4'") && header.contains("'shape': (3, 32, 24)"), "{header}");
    assert_eq!(numbers, features);
    encode(&array, &["--layers", "0,2"]);
    assert!(read_npy(&array).0.contains("'shape': (3, 2, 32, 24)"));
    let results = encode(&table, &[]);
    let names: Vec<&str> =
        results["tensors"].as_array().expect("a list").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["features", "times", "video"]);
    let bytes = fs::read(&table).expect("a file");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    // What is not there before a failure is not there after it, under no name.
    let broken = at("broken.mp4");
    fs::write(&broken, &fs::read(&clip).expect("a video")[..400]).expect("a file");
    let files = fs::read_dir(folder.path()).expect("a folder").count();
    for out in [at("g.safetensors"), at("g.npy"), at("g.parquet")] {
        refused(&["encode", text(&model), text(&clip), text(&broken), "--out", text(&out)], 1, &["broken.mp4"]);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), files);
    }
    refused(
        &["encode", text(&model), text(&clip), "--out", text(&at("f.csv"))],
        2,
        &["--out", "f.csv", ".safetensors or .npy or .parquet"],
    );
    let blocked = at("f.npy/inside.npy");
    refused(&["encode", text(&model), text(&clip), "--out", text(&blocked)], 1, &["f.npy", "cannot be made"]);
}

/// Frames of a video.
fn frames(path: &Path) -> (FrameBuffer, (usize, usize)) {
    let mut video = Video::open(path, &OpenOptions::default()).expect("a video");
    let (width, height) = video.size();
    let mut frames = FrameBuffer::new(video.len(), height, width);
    video.read(&(0..frames.frames).collect::<Vec<_>>(), &mut frames).expect("frames");
    (frames, (width, height))
}

#[test]
fn features_are_drawn_beside_pictures() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, clip, out) = (at("model.safetensors"), at("a.mp4"), at("f.npy"));
    succeed(&["import", text(&checkpoint("vjepa2")), "--out", text(&model)]);
    video(&clip, 13, 0);
    let (components, heat) = (at("pca.mp4"), at("heat.mp4"));
    let always = ["encode", text(&model), text(&clip), "--out", text(&out), "--stride", "2"];
    let draw = ["--pca", text(&components), "--similarity", "12,20", "--similarity-video", text(&heat)];
    let results = json(&succeed(&[&always[..], &draw, &["--json", "-"]].concat()));
    // Windows of 4 frames that begin every 2, of which each frame is shown once: 12 of 13.
    let drawn = results["drawn"].as_array().expect("a list");
    assert_eq!(drawn.iter().map(|it| it["frames"].as_u64()).collect::<Vec<_>>(), [Some(12); 2]);
    let explained: f64 =
        drawn[0]["explained"].as_array().expect("a list").iter().filter_map(serde_json::Value::as_f64).sum();
    assert!(explained > 0.2 && explained < 1.000_001, "{explained}");
    for path in [&components, &heat] {
        let (frames, size) = frames(path);
        assert_eq!((frames.frames, size), (12, (512, 256)));
    }
    let pixel = |buffer: &FrameBuffer, x: usize, y: usize| {
        let at = (y * 512 + x) * 3;
        [0, 1, 2].map(|channel| i32::from(buffer.frame(0)[at + channel]))
    };
    // The patch of pixel 12,20 of 48 x 32 is the second of the second row of four: bright, and with a white line in the picture.
    let (frames, _) = frames(&heat);
    let bright = pixel(&frames, 256 + 96, 96);
    assert!(bright.iter().zip([252, 255, 164]).all(|(a, b)| (a - b).abs() < 40), "{bright:?}");
    let line = pixel(&frames, 65, 96);
    assert!(line.iter().all(|channel| *channel > 200), "{line:?}");
    let table = stdout(&succeed(&[&always[..], &draw].concat()));
    assert!(
        table.contains("pca.mp4, 12 frames: red ") && table.contains("heat.mp4, 12 frames: cosine from "),
        "{table}"
    );
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, clip, out) = (at("model.safetensors"), at("a.mp4"), at("f.npy"));
    succeed(&["import", text(&checkpoint("vjepa2")), "--out", text(&model)]);
    video(&clip, 6, 0);
    let broken = at("broken.mp4");
    fs::write(&broken, b"no video").expect("a file");
    let files = fs::read_dir(folder.path()).expect("a folder").count();
    let (film, other) = (at("film.mp4"), at("film.gif"));
    let refuse = |more: &[&str], code: i32, names: &[&str]| {
        refused(&[&["encode", text(&model), text(&clip), "--out", text(&out)], more].concat(), code, names);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), files, "{more:?}");
    };
    refuse(&["--pca", text(&other)], 2, &["--pca", "film.gif", ".mp4"]);
    refuse(&["--similarity", "3,4"], 2, &["--similarity-video"]);
    refuse(&["--similarity-video", text(&film)], 2, &["--similarity"]);
    refuse(&["--pca", text(&film), "--context-mask", "0-3"], 2, &["--context-mask"]);
    let heat = ["--similarity-video", text(&film), "--similarity"];
    refuse(&[&heat[..], &["3"]].concat(), 2, &["`3`", "the row and the column"]);
    // Of 48 x 32 the middle is seen.
    refuse(&[&heat[..], &["3,2"]].concat(), 2, &["--similarity 3,2", "a.mp4", "48 x 32"]);
    refuse(&[text(&broken), "--pca", text(&film)], 1, &["broken.mp4"]);
}

#[test]
fn weights_are_stored_in_fewer_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, clip, out) = (at("model.safetensors"), at("a.mp4"), at("f.npy"));
    video(&clip, 6, 0);
    let golden = checkpoint("vjepa2");
    let import = |more: &[&str]| {
        json(&succeed(&[&["import", text(&golden), "--out", text(&model), "--json", "-"], more].concat()))
    };
    let whole = import(&[]);
    assert_eq!((whole["stored"]["dtype"].as_str(), whole["stored"].get("change")), (Some("f32"), None));
    let encode = || {
        succeed(&["encode", text(&model), text(&clip), "--out", text(&out)]);
        read_npy(&out).1
    };
    let features = encode();
    let mut bytes = whole["stored"]["bytes"].as_u64().expect("a number");
    for dtype in ["bf16", "f16", "int8"] {
        let noise = import(&["--dtype", dtype]);
        let told = import(&["--dtype", dtype, "--clip", text(&clip)])["stored"].clone();
        assert_eq!((told["dtype"].as_str(), noise["stored"]["change"]["clip"].as_str()), (Some(dtype), Some("noise")));
        let written = told["bytes"].as_u64().expect("a number");
        assert!(written <= bytes && written == model.metadata().expect("a file").len(), "{dtype}: {written}");
        bytes = written;
        let largest = encode().iter().zip(&features).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
        // The first window of the clip is all of what is encoded here.
        assert!((told["change"]["largest"].as_f64().expect("a number") - largest).abs() < 1e-6, "{dtype}: {told}");
        assert!(told["change"]["least_cosine"].as_f64().is_some_and(|it| it > 0.99 && it < 1.0), "{dtype}: {told}");
    }
    let table = stdout(&succeed(&["import", text(&golden), "--out", text(&model), "--dtype", "int8"]));
    assert!(
        table.contains("stored      int8, 0.0 MB instead of 0.1 MB in f32")
            && table.contains("features    cosine 0.99"),
        "{table}"
    );
    fs::remove_file(&model).expect("a file");
    let refuse = |more: &[&str], code: i32, names: &[&str]| {
        refused(&[&["import", text(&golden), "--out", text(&model)], more].concat(), code, names);
        assert!(!model.exists(), "{more:?}");
    };
    refuse(&["--dtype", "int4"], 2, &["`int4`", "f32, bf16, f16, int8"]);
    refuse(&["--clip", text(&clip)], 2, &["--clip", "--dtype f32"]);
    refuse(&["--dtype", "f16", "--clip", text(&at("none.mp4"))], 1, &["none.mp4"]);
    video(&clip, 3, 0);
    refuse(&["--dtype", "f16", "--clip", text(&clip)], 2, &["a.mp4: 3 of the 4 frames"]);
}

#[test]
fn a_run_is_encoded_as_its_import_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (videos, run) = (at("videos"), at("run"));
    fs::create_dir(&videos).expect("a folder");
    for (name, length) in [("a.mp4", 8), ("b.mp4", 9), ("c.mp4", 10)] {
        video(&videos.join(name), length, 0);
    }
    let experiment = at("experiment.toml");
    fs::write(&experiment, videos_experiment(&videos, 2)).expect("a file");
    let clip = videos.join("c.mp4");
    succeed(&["train", text(&experiment), "--run", text(&run), "--set", "train.steps=2"]);
    let (model, one, other) = (at("model.safetensors"), at("one.npy"), at("other.npy"));
    succeed(&["import", text(&run), "--out", text(&model)]);
    succeed(&["encode", text(&run), text(&clip), "--out", text(&one)]);
    succeed(&["encode", text(&model), text(&clip), "--out", text(&other)]);
    assert_eq!(fs::read(&one).expect("features"), fs::read(&other).expect("features"));
    fs::remove_dir_all(run.join("checkpoints")).expect("a folder");
    fs::create_dir(run.join("checkpoints")).expect("a folder");
    refused(
        &["encode", text(&run), text(&clip), "--out", text(&one)],
        1,
        &["run: is not a run folder", "it has no checkpoint"],
    );
}

#[test]
fn pictures_have_a_class_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, clip) = (folder.path().join("m.safetensors"), folder.path().join("a.mp4"));
    let out = folder.path().join("f.safetensors");
    succeed(&["import", text(&checkpoint("vit")), "--out", text(&model)]);
    video(&clip, 18, 0);
    let table = stdout(&succeed(&["encode", text(&model), text(&clip), "--out", text(&out)]));
    assert!(table.contains("[18, 17, 24]"), "{table}");
    assert_eq!(read(&out).0["pooled"].0, [18, 24]);
}

#[test]
fn what_cannot_be_encoded_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (model, clip, out) = (at("model.safetensors"), at("a.mp4"), at("out.safetensors"));
    succeed(&["import", text(&checkpoint("vjepa2")), "--out", text(&model)]);
    video(&clip, 6, 0);
    let encode = |more: &[&str], code: i32, names: &[&str]| {
        refused(&[&["encode", text(&model), "--out", text(&out)], more].concat(), code, names);
        assert!(!out.exists(), "{more:?}");
    };
    let clip = text(&clip);
    encode(&[clip, "--frames", "8"], 2, &["a.mp4: 6 of the 8 frames", "--frames"]);
    encode(&[clip, "--frames", "3"], 2, &["--frames 3", "a multiple of 2"]);
    encode(&[clip, "--step", "0"], 2, &["--step is 0"]);
    encode(&[clip, "--layers", "3"], 2, &["--layers 3", "2 blocks"]);
    encode(&[clip, "--context-mask", "0-32"], 2, &["--context-mask", "id 32", "32 tokens"]);
    encode(&[clip, "--context-mask", "4,x"], 2, &["`x`"]);
    encode(&[clip, text(&at("none.mp4"))], 1, &["none.mp4"]);
    encode(&[], 2, &["VIDEOS"]);
    refused(&["import", text(&checkpoint("vjepa2")), "--out", text(&at("model"))], 2, &["--out", ".safetensors"]);
    fs::create_dir(at("empty")).expect("a folder");
    refused(&["import", text(&at("empty")), "--out", text(&at("m.safetensors"))], 1, &["a folder without weights"]);
    refused(&["encode", clip, clip, "--out", text(&out)], 1, &["a.mp4"]);
    refused(&["encode", text(folder.path()), clip, "--out", text(&out)], 1, &["a folder", "`prevision import`"]);
    refused(&["import", text(&model), "--out", text(&at("m.safetensors"))], 1, &["`prevision import` already"]);
    refused(&["import", text(&at("none.pt")), "--out", text(&at("m.safetensors"))], 1, &["none.pt: no such file"]);
}
