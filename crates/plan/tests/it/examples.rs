//! The constraint `unsafe` from labelled frames in files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use prevision_env::TimeStep;
use prevision_model::{HeadFlags, WorldModel};
use prevision_plan::constraint::{Constraint, Happened, Unsafe, UnsafeConfig};
use prevision_plan::cost::CostContext;
use prevision_plan::{Parts, PlanConfig, setup};
use prevision_video::{Mp4Options, Mp4Writer, Quality, write_png};

use super::models::{VECTORS, model, rooms, spaces};

/// Moments of Two Rooms with their labels: unsafe is the room on the left.
fn moments() -> Vec<(TimeStep, bool)> {
    let mut room = rooms(1).remove(0);
    let places = [[8.0, 10.0], [50.0, 12.0], [20.0, 40.0], [55.0, 52.0], [10.0, 55.0], [42.0, 30.0]];
    places.map(|[x, y]| (room.reset_to(1, &[x, y, 32.0, 20.0]).unwrap(), x < 32.0)).into()
}

fn context() -> CostContext {
    CostContext { model: model(VECTORS, &spaces(1, 2), &HeadFlags::default()) }
}

/// Which moments are unsafe.
fn judged(rail: &Unsafe, model: &dyn WorldModel, moments: &[(TimeStep, bool)]) -> Vec<bool> {
    let seen = moments.iter().map(|(moment, _)| [moment, moment]).collect();
    rail.violated(&Happened::new(model, seen, vec![None; moments.len()])).unwrap().unwrap()
}

fn keys(folder: &Path, table: &str) -> UnsafeConfig {
    fs::write(folder.join("labels.csv"), table).unwrap();
    UnsafeConfig { examples: folder.join("labels.csv"), penalty: 1e-6, ..UnsafeConfig::default() }
}

#[test]
fn pictures_and_frames_of_a_video_are_examples() {
    let folder = tempfile::tempdir().unwrap();
    let (moments, context) = (moments(), context());
    let labels: Vec<bool> = moments.iter().map(|(_, label)| *label).collect();
    let options =
        Mp4Options { width: 65, height: 65, frame_rate: 10, quality: Quality::Lossless, keyframe_interval: 5 };
    let mut video = Mp4Writer::create(&folder.path().join("film.mp4"), &options).unwrap();
    let mut pictures = "file, label\n".to_owned();
    let mut frames = "file,frame,label\n".to_owned();
    for (index, (moment, label)) in moments.iter().enumerate() {
        let frame = &moment.observations.cameras["pixels"];
        write_png(&folder.path().join(format!("{index}.png")), &frame.data, 65, 65).unwrap();
        video.write(&frame.data).unwrap();
        writeln!(pictures, "{index}.png, {}", u8::from(*label)).unwrap();
        writeln!(frames, "film.mp4,{index},{}", u8::from(*label)).unwrap();
    }
    video.finish().unwrap();
    for table in [pictures, frames] {
        let rail = Unsafe::from_files(&context, &keys(folder.path(), &table)).unwrap();
        assert_eq!(judged(&rail, context.model.as_ref(), &moments), labels, "{table}");
    }
}

#[test]
fn it_is_configured_by_its_table() {
    let folder = tempfile::tempdir().unwrap();
    for (index, (moment, _)) in moments().iter().enumerate() {
        let frame = &moment.observations.cameras["pixels"];
        write_png(&folder.path().join(format!("{index}.png")), &frame.data, 65, 65).unwrap();
    }
    let made = |table: &str| {
        let keys = keys(folder.path(), table);
        let text = format!("[constraints.unsafe]\nenforce = false\nexamples = '{}'", keys.examples.display());
        let config: PlanConfig = toml::from_str(&text).unwrap();
        setup::guardrails(&config, &Parts::default(), &context().model).map(|rails| rails.is_some())
    };
    assert!(made("file,label\n0.png,1\n1.png,0\n").unwrap());
    let refused = |table: &str, cause: &str| {
        let message = made(table).unwrap_err().to_string();
        assert!(message.starts_with("plan.constraints.unsafe.examples is "), "{message}");
        assert!(message.contains("but must be a table of labelled frames: ") && message.contains(cause), "{message}");
    };
    refused("file,tag\n0.png,1\n", "it has no column label");
    refused("file,label\n", "it has no rows");
    refused("file,label\n0.png,1\n1.png,2\n", "line 3: label is 2, but must be 0 or 1");
    refused("file,frame,label\n0.png,x,1\n", "line 2: frame is x, but must be a number of a frame, from 0");
    refused("file,frame,label\n0.png,0,1\n1.png,4,0\n", "1.png: it has 1 frames, none has number 4");
    refused("file,label\n0.png,1\nnone.png,0\n", "none.png");
    refused("file,label\n0.png,1\n1.png,1\n", "2 of 2 examples have label 1");
}

#[test]
fn examples_must_be_given() {
    let config: PlanConfig = toml::from_str("[constraints.unsafe]").unwrap();
    let model: Arc<dyn WorldModel> = context().model;
    let message = setup::guardrails(&config, &Parts::default(), &model).err().unwrap().to_string();
    let expected = "plan.constraints.unsafe.examples is not set, but must be the path of a table with the columns file, frame \
                    and label";
    assert_eq!(message, expected);
}
