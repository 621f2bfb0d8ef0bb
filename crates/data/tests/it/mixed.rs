//! Several data sets mixed by weight.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::common::source;
use prevision_core::config::{Part, schema};
use prevision_core::{Array2, Camera, Clip, FrameBuffer, Observations, Space, Spaces};
use prevision_data::{
    ClipDataset, DataConfig, DataError, Episode, EpisodeOptions, EpisodeSource, EpisodeWriter, EpisodesInMemory,
    Formats, Loader, LoaderConfig, Split, built_in, in_order, open,
};
use toml::{Table, Value};

/// Number, episodes and action space of the recordings in memory, by name. All episodes have 9 moments, frames of 8 x 6 pixels that
/// are all (number, episode, moment), a state of one number, and actions whose `i`-th number is number + moment + i / 10.
fn world(name: &str) -> (u8, usize, Option<Space>) {
    let box_of = |low: &[f32], high: &[f32]| Some(Space::Box { low: low.to_vec(), high: high.to_vec() });
    match name {
        "push" => (10, 8, box_of(&[-1.0, -1.0], &[1.0, 1.0])),
        "rooms" => (20, 4, box_of(&[-2.0, 0.5], &[2.0, 0.75])),
        "arm" => (30, 3, Some(Space::Unbounded { dim: 3 })),
        "keys" => (40, 5, Some(Space::Discrete { count: 2 })),
        _ => panic!("no world {name}"),
    }
}

fn camera(name: &str) -> &str {
    if name == "arm" { "observation.top" } else { "pixels" }
}

const MOMENTS: usize = 9;

fn solid(colours: impl ExactSizeIterator<Item = [u8; 3]>, height: usize, width: usize) -> FrameBuffer {
    let mut frames = FrameBuffer::new(colours.len(), height, width);
    for (frame, colour) in colours.enumerate() {
        frames.frame_mut(frame).chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&colour));
    }
    frames
}

#[expect(clippy::unnecessary_wraps, reason = "as a format opens")]
fn recording(path: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let (number, episodes, action) = world(name);
    let width = action.as_ref().map_or(0, Space::stored_width);
    let (mut actions, mut state, mut force) = (Array2::default(), Array2::default(), Array2::default());
    for moment in (0..episodes).flat_map(|_| 0..MOMENTS) {
        let value = |place: usize| f32::from(number) + moment as f32 + place as f32 / 10.0;
        let discrete = matches!(action, Some(Space::Discrete { .. }));
        let row = (0..width).map(|place| if discrete { (moment % 2) as f32 } else { value(place) });
        actions.push(&row.collect::<Vec<_>>());
        state.push(&[moment as f32]);
        force.push(&[moment as f32; 2][..if name == "arm" { 2 } else { 1 }]);
    }
    let cameras = BTreeMap::from([(camera(name).to_owned(), Camera { height: 6, width: 8 })]);
    Ok(Box::new(EpisodesInMemory {
        lengths: vec![MOMENTS; episodes],
        spaces: Spaces { cameras, action, state: Some(1), ..Spaces::default() },
        columns: BTreeMap::from([("action".into(), actions), ("state".into(), state), ("force".into(), force)]),
        frames: move |_: &str, episode: usize, moments: &[usize]| {
            Ok(solid(moments.iter().map(|&moment| [number, episode as u8, moment as u8]), 6, 8))
        },
    }))
}

fn formats() -> Formats {
    Formats::built_in().with(("memory", recording))
}

fn mix(parts: &[Part]) -> DataConfig {
    let tables = parts.iter().map(|part| Value::try_from(part).unwrap());
    let source = Part::new("mixed").with("parts", tables.collect::<Vec<_>>());
    DataConfig { source, frames: 3, validation_fraction: 0.0, batch_size: 4, ..DataConfig::default() }
}

fn part(name: &str, weight: f64) -> Part {
    source("episodes", Path::new(&format!("{name}.memory"))).with("weight", weight).with("cameras", vec![camera(name)])
}

fn try_open(config: &DataConfig, split: Split) -> Result<Arc<dyn ClipDataset>, String> {
    let source = config.source(&built_in(), &formats())?;
    open(config, source.as_ref(), split, 5).map_err(|error| error.to_string())
}

fn train(config: &DataConfig) -> Arc<dyn ClipDataset> {
    try_open(config, Split::Train).unwrap()
}

fn refused(parts: &[Part]) -> String {
    try_open(&mix(parts), Split::Train).err().unwrap()
}

fn batches(config: &DataConfig, change: LoaderConfig, batches: std::ops::Range<u64>) -> Vec<Vec<Clip>> {
    let mut loader = Loader::new(train(config), &change, batches.start).unwrap();
    batches.map(|_| loader.next_batch().unwrap().clips).collect()
}

/// Number of the world and episode that a clip is of.
fn of(clip: &Clip) -> (u8, u8) {
    let frames = clip.observations.cameras.values().next().unwrap();
    (frames.data[0], frames.data[1])
}

/// All that a clip is.
fn print(clip: &Clip) -> (Observations, Vec<f64>, Option<Array2>, Option<Array2>, prevision_core::ClipSource) {
    let Clip { observations, times, actions, state, source, .. } = clip.clone();
    (observations, times, actions, state, source)
}

fn prints(batches: &[Vec<Clip>]) -> Vec<Vec<impl PartialEq + std::fmt::Debug + use<>>> {
    batches.iter().map(|clips| clips.iter().map(print).collect()).collect()
}

#[test]
fn every_epoch_has_the_shares_of_the_weights_and_every_video_before_any_again() {
    // Weights, videos of each, and how many visits each has in the first epochs.
    type Case<'a> = (&'a [(&'a str, f64)], &'a [&'a [usize]]);
    let cases: [Case; 4] = [
        (&[("push", 2.0), ("rooms", 1.0)], &[&[8, 4], &[8, 4], &[8, 4]]),
        (&[("rooms", 30.0), ("push", 10.0), ("arm", 10.0)], &[&[9, 3, 3], &[9, 3, 3]]),
        (&[("keys", 2.0), ("push", 1.0)], &[&[9, 4], &[8, 5], &[9, 4]]),
        (&[("push", 1.0), ("rooms", 1.0)], &[&[6, 6], &[6, 6], &[6, 6], &[6, 6]]),
    ];
    for (weights, expected) in cases {
        let parts: Vec<Part> = weights
            .iter()
            .map(|&(name, weight)| part(name, weight))
            .map(|part| part.with("rename", Table::new()).with("action", ""))
            .map(|part| {
                let top = Table::from_iter([("observation.top".to_owned(), "pixels".into())]);
                if part.keys["path"].as_str() == Some("arm.memory") { part.with("rename", top) } else { part }
            })
            .collect();
        let config = DataConfig { clips_per_video: 2, ..mix(&parts) };
        let videos = train(&config).videos();
        let numbers: Vec<u8> = weights.iter().map(|(name, _)| world(name).0).collect();
        let config = DataConfig { batch_size: 2 * videos, ..config };
        let mut seen: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for (epoch, clips) in
            batches(&config, LoaderConfig::new(&config, 3), 0..expected.len() as u64).into_iter().enumerate()
        {
            let visits: Vec<(u8, u8)> = clips.chunks(2).map(|pair| of(&pair[0])).collect();
            assert!(clips.chunks(2).all(|pair| of(&pair[0]) == of(&pair[1])), "a video's clips follow each other");
            let counts = numbers.iter().map(|number| visits.iter().filter(|visit| visit.0 == *number).count());
            assert_eq!(counts.collect::<Vec<_>>(), expected[epoch], "{weights:?}, epoch {epoch}");
            for (number, episode) in visits {
                seen.entry(number).or_default().push(episode);
            }
        }
        for ((name, _), number) in weights.iter().zip(&numbers) {
            let episodes = world(name).1;
            let rounds = seen[number].chunks(episodes);
            assert!(rounds.clone().all(|round| round.iter().collect::<BTreeSet<_>>().len() == round.len()), "{name}");
        }
    }
}

#[test]
fn batches_depend_on_the_seed_alone() {
    let config = mix(&[part("push", 2.0), part("rooms", 1.0)]);
    let loader = |workers| LoaderConfig { workers, ..LoaderConfig::new(&config, 3) };
    let reference = batches(&config, loader(0), 0..8);
    assert!(reference.iter().flatten().map(of).collect::<BTreeSet<_>>().len() == 12);
    for workers in [1, 4] {
        assert_eq!(prints(&batches(&config, loader(workers), 0..8)), prints(&reference), "{workers} workers");
        assert_eq!(prints(&batches(&config, loader(workers), 5..8)), prints(&reference[5..]), "resumed");
    }
    let parts = [0, 1].map(|rank| batches(&config, LoaderConfig { part: (rank, 2), ..loader(1) }, 0..8));
    let together: Vec<Vec<Clip>> =
        (0..8).map(|batch| [parts[0][batch].clone(), parts[1][batch].clone()].concat()).collect();
    assert_eq!(prints(&together), prints(&reference));
    let other = batches(&config, LoaderConfig { seed: 4, ..loader(0) }, 0..8);
    assert_ne!(prints(&other), prints(&reference));
}

#[test]
fn one_part_alone_is_what_it_is_without_a_mix() {
    let mixed = DataConfig { validation_fraction: 0.3, clips_per_video: 2, ..mix(&[part("push", 7.0)]) };
    let mut alone = part("push", 7.0);
    alone.keys.remove("weight");
    let alone = DataConfig { source: alone, ..mixed.clone() };
    assert_eq!(train(&mixed).spaces(), train(&alone).spaces());
    let loader = LoaderConfig { workers: 2, ..LoaderConfig::new(&mixed, 3) };
    assert_eq!(prints(&batches(&mixed, loader.clone(), 0..9)), prints(&batches(&alone, loader, 0..9)));
    for split in [Split::Train, Split::Validation] {
        let walk = |config: &DataConfig| -> Vec<Vec<Clip>> {
            in_order(try_open(config, split).unwrap().as_ref(), 3).map(|batch| batch.unwrap().clips).collect()
        };
        assert_eq!(prints(&walk(&mixed)), prints(&walk(&alone)));
    }
}

#[test]
fn evaluation_walks_once_through_every_part_whatever_the_weights() {
    let config = DataConfig { validation_fraction: 0.4, ..mix(&[part("push", 1.0), part("rooms", 100.0)]) };
    let walk = |split| -> Vec<Clip> {
        let dataset = try_open(&config, split).unwrap();
        in_order(dataset.as_ref(), 4).flat_map(|batch| batch.unwrap().clips).collect()
    };
    let (train, validation) = (walk(Split::Train), walk(Split::Validation));
    let all: BTreeSet<(u8, u8)> = train.iter().chain(&validation).map(of).collect();
    assert_eq!((all.len(), train.len() + validation.len()), (12, 12), "each once, on one side");
    let numbers: BTreeSet<usize> = train.iter().chain(&validation).map(|clip| clip.source.video).collect();
    assert_eq!(numbers.len(), 12, "no two videos have one number");
    assert!(validation.iter().any(|clip| of(clip).0 == 10) && validation.iter().any(|clip| of(clip).0 == 20));
    // The first clips, to which an evaluation may limit itself, are of all parts.
    let whole = DataConfig { validation_fraction: 0.0, ..config.clone() };
    let dataset = try_open(&whole, Split::Train).unwrap();
    let first: Vec<Clip> = in_order(dataset.as_ref(), 6).next().unwrap().unwrap().clips;
    assert_eq!(first.iter().map(|clip| of(clip).0).collect::<Vec<_>>(), [10, 20, 10, 10, 20, 10]);
}

/// The first clip of each part, walked in order, by its number.
fn clips(config: &DataConfig) -> BTreeMap<u8, Clip> {
    let dataset = train(config);
    let clips = in_order(dataset.as_ref(), 4).flat_map(|batch| batch.unwrap().clips);
    clips.map(|clip| (of(&clip).0, clip)).collect()
}

#[test]
fn actions_are_padded_and_masked_by_name() {
    let rename = Table::from_iter([("observation.top".to_owned(), Value::from("pixels"))]);
    let parts = [
        part("push", 1.0).with("actions", vec!["x", "y"]),
        part("arm", 1.0).with("actions", vec!["y", "z", "grip"]).with("rename", rename),
        part("rooms", 1.0).with("action", ""),
    ];
    let config = DataConfig { frame_step: 2, ..mix(&parts) };
    let spaces = train(&config).spaces().clone();
    assert_eq!(spaces.action, Some(Space::Unbounded { dim: 4 }), "x, y, z, grip");
    assert_eq!(spaces.vectors, BTreeMap::from([("action_mask".to_owned(), 4)]));
    assert_eq!(spaces.cameras.keys().collect::<Vec<_>>(), ["pixels"]);
    assert_eq!(spaces.action_width(), 8);
    let clips = clips(&config);
    // Nine moments leave four places for a clip of six: the middle one is 2.
    let (push, arm, rooms) = (&clips[&10], &clips[&30], &clips[&20]);
    assert_eq!((push.source.start, arm.source.start), (2, 2));
    assert_eq!(
        push.actions,
        Some(Array2::new(
            vec![12.0, 12.1, 0.0, 0.0, 13.0, 13.1, 0.0, 0.0, 14.0, 14.1, 0.0, 0.0, 15.0, 15.1, 0.0, 0.0],
            2,
            8
        ))
    );
    assert_eq!(
        arm.actions,
        Some(Array2::new(
            vec![0.0, 32.0, 32.1, 32.2, 0.0, 33.0, 33.1, 33.2, 0.0, 34.0, 34.1, 34.2, 0.0, 35.0, 35.1, 35.2],
            2,
            8
        ))
    );
    assert_eq!(rooms.actions, Some(Array2::zeros(2, 8)));
    let mask = |clip: &Clip| clip.observations.vectors["action_mask"].clone();
    assert_eq!(mask(push), Array2::new([1.0, 1.0, 0.0, 0.0].repeat(3), 3, 4));
    assert_eq!(mask(arm), Array2::new([0.0, 1.0, 1.0, 1.0].repeat(3), 3, 4));
    assert_eq!(mask(rooms), Array2::zeros(3, 4));
    // Without a mask a model of one camera takes the clips.
    let bare = DataConfig { source: config.source.clone().with("action_mask", ""), ..config.clone() };
    assert!(train(&bare).spaces().only_camera().is_ok() && train(&config).spaces().only_camera().is_err());
    assert_eq!(self::clips(&bare)[&30].actions, arm.actions);
    // A clip of one frame has no actions, whatever they are called.
    let one = DataConfig { frames: 1, ..config };
    assert_eq!((&train(&one).spaces().action, train(&one).spaces().vectors.len()), (&None, 0));
}

#[test]
fn actions_of_the_same_names_are_not_masked() {
    let config = mix(&[part("push", 1.0), part("rooms", 1.0)]);
    let spaces = train(&config).spaces().clone();
    assert_eq!(spaces.action, Some(Space::Box { low: vec![-2.0, -1.0], high: vec![2.0, 1.0] }), "both boxes");
    assert!(spaces.vectors.is_empty());
    assert_eq!(clips(&config)[&20].actions, Some(Array2::new(vec![23.0, 23.1, 24.0, 24.1], 2, 2)));
    let choices = mix(&[part("keys", 1.0), part("keys", 2.0)]);
    assert_eq!(train(&choices).spaces().action, Some(Space::Discrete { count: 2 }));
    // Choices beside numbers: one-hot, under names of their own.
    let both = mix(&[part("push", 1.0), part("keys", 1.0)]);
    let space = Space::Box { low: vec![-1.0, -1.0, 0.0, 0.0], high: vec![1.0; 4] };
    assert_eq!(train(&both).spaces().action, Some(space));
    let clip = &clips(&both)[&40];
    assert_eq!(clip.actions, Some(Array2::new(vec![0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0], 2, 4)), "moments 3 and 4");
}

#[test]
fn errors_name_the_part_and_the_key() {
    let top = |name: &str| Table::from_iter([("observation.top".to_owned(), Value::from(name))]);
    let (push, arm) = (|| part("push", 1.0), || part("arm", 1.0).with("rename", top("pixels")));
    for (parts, expected) in [
        (vec![], "data.source.parts is empty, but must be a list of one data set or more"),
        (vec![push(), Part::new("episodes")], "data.source.parts.1.path is empty, but must be a file or folder"),
        (vec![part("push", 0.0)], "data.source.parts.0.weight is 0, but must be a number above 0"),
        (
            vec![push(), push().with("actions", vec!["x", "x"])],
            "data.source.parts.1.actions is [\"x\", \"x\"], but must be different names",
        ),
        (
            vec![push(), part("arm", 1.0)],
            "data.source.parts.1 has no camera `pixels`, which data.source.parts.0 has; it has camera observation.top 8x6 (data.source.parts.1.rename can give them other names)",
        ),
        (
            vec![push().with("cameras", Vec::<String>::new()).with("vectors", vec!["force"]), push()],
            "data.source.parts.0 has no camera `pixels`, which data.source.parts.1 has; it has vector force[1] (data.source.parts.0.rename can give them other names)",
        ),
        (
            vec![push().with("vectors", vec!["force"]), arm().with("vectors", vec!["force"])],
            "data.source.parts.1: vector `force` is [2], in data.source.parts.0 it is [1]",
        ),
        (
            vec![push(), push().with("state", "")],
            "data.source.parts.1: the state is none, in data.source.parts.0 it is [1]; it must be the same everywhere (state = \"\" for none)",
        ),
        (
            vec![push().with("rename", top("pixels"))],
            "data.source.parts.0.rename is of `observation.top`, but must be names of streams of this data set, which has camera pixels 8x6",
        ),
        (
            vec![
                arm()
                    .with("vectors", vec!["force", "state"])
                    .with("rename", Table::from_iter([("force".to_owned(), Value::from("state"))])),
            ],
            "data.source.parts.0.rename is {\"force\": \"state\"}, but must be such that all streams have different names; this data set has camera observation.top 8x6, vector force[2], vector state[1]",
        ),
        (
            vec![push().with("actions", vec!["x"])],
            "data.source.parts.0.actions is [\"x\"], but must be 2 names: an action is numbers from [-1.0, -1.0] to [1.0, 1.0]",
        ),
        (
            vec![push().with("action", "").with("actions", vec!["x"])],
            "data.source.parts.0.actions is [\"x\"], but must be unset: this data set has no actions",
        ),
        (
            vec![Part::new("mixed").with("parts", Vec::<Value>::new())],
            "data.source.parts.0.kind is \"mixed\", but must be one of videos, episodes, moving-mnist, physics-films",
        ),
    ] {
        assert_eq!(refused(&parts), expected);
    }
    let named = mix(&[push(), arm().with("rename", top("pixels"))]);
    let taken = DataConfig { source: named.source.with("action_mask", "pixels"), ..named };
    assert_eq!(
        try_open(&taken, Split::Train).err().unwrap(),
        "data.source.action_mask is \"pixels\", but must be a name that no stream of the data sets has"
    );
    let flipped = DataConfig { flip: true, ..mix(&[push().with("action", ""), push()]) };
    let message = try_open(&flipped, Split::Train).err().unwrap();
    assert!(message.ends_with("which would not fit mirrored frames (data.source.parts.1.action)"), "{message}");
    let message = refused(&[push(), push().with("wieght", 1)]);
    assert!(
        message.starts_with("unknown key `data.source.parts.1.wieght`; did you mean `data.source.parts.1.weight`?"),
        "{message}"
    );
}

#[test]
fn every_default_is_put_in_place_and_the_schema_knows_all_keys() {
    let text = "[source]\nkind = \"mixed\"\n[[source.parts]]\nkind = \"episodes\"\npath = \"a\"\nweight = 2\n\
        [[source.parts]]\nkind = \"moving-mnist\"\npath = \"b\"\nrename = { pixels = \"top\" }";
    let mut config: DataConfig = toml::from_str(text).unwrap();
    config.source.keys = built_in().resolve("data.source", "mixed", &config.source.keys).unwrap();
    let expected = "action_mask = 'action_mask'\nparts = [\
        { kind = 'episodes', path = 'a', cameras = ['pixels'], vectors = [], action = 'action', state = 'state', weight = 2.0, rename = {} }, \
        { kind = 'moving-mnist', path = 'b', digits = 2, videos = 10000, length = 20, canvas = 64, weight = 1.0, rename = { pixels = 'top' } }]";
    assert_eq!(config.source.keys, expected.parse::<Table>().unwrap());
    let again: DataConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
    assert_eq!(again, config, "as a run folder keeps it");
    assert_eq!(config.source(&built_in(), &formats()).unwrap().path(), Path::new("a"));
    let schema = built_in().schema_by_kind();
    let check = |text: &str| schema::check_keys("data.source", &text.parse().unwrap(), &schema);
    assert_eq!(check(&toml::to_string(&config.source).unwrap()), Ok(()));
    let message = check("kind = 'mixed'\nparts = [{ kind = 'videos', wweight = 1 }]").unwrap_err();
    assert!(message.contains("`data.source.parts.0.wweight`; did you mean `data.source.parts.0.weight`?"), "{message}");
    let message = check("kind = 'mixed'\nparts = [{ kind = 'videos', cameras = [] }]").unwrap_err();
    assert!(message.contains("`cameras` is a key of kind = \"episodes\""), "{message}");
}

/// Six episodes of 9 frames in files, and a file of one digit.
fn files(folder: &Path) -> [Part; 2] {
    let camera = Camera { height: 32, width: 32 };
    let spaces = Spaces { cameras: BTreeMap::from([("front".into(), camera)]), ..Spaces::default() };
    let walks = folder.join("walks");
    let mut writer = EpisodeWriter::create(&walks, &spaces, &EpisodeOptions::default()).unwrap();
    for episode in 0..6 {
        let frames = solid((0..MOMENTS as u8).map(|moment| [10, episode, moment]), 32, 32);
        let columns = BTreeMap::from([("action".into(), Array2::new(vec![0.5; MOMENTS], MOMENTS, 1))]);
        writer.write(&Episode { observations: Observations::of_camera("front", frames), columns }).unwrap();
    }
    writer.finish().unwrap();
    let digits = folder.join("train-images-idx3-ubyte");
    let head = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28];
    std::fs::write(&digits, [&head[..], &[200; 28 * 28]].concat()).unwrap();
    let rename = Table::from_iter([("front".to_owned(), Value::from("pixels"))]);
    [
        source("episodes", &walks).with("cameras", vec!["front"]).with("state", "").with("rename", rename),
        source("moving-mnist", &digits).with("videos", 6).with("length", 9).with("canvas", 32),
    ]
}

#[test]
fn sources_of_different_kinds_are_mixed_and_what_is_broken_counts_in_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let [walks, digits] = files(folder.path());
    let config = DataConfig { batch_size: 12, ..mix(&[walks.with("weight", 3), digits]) };
    let loader = LoaderConfig { workers: 2, ..LoaderConfig::new(&config, 3) };
    let counts = |batches: &[Vec<Clip>]| -> Vec<usize> {
        let walked = |clip: &&Clip| clip.observations.vectors["action_mask"].data == [1.0; 3];
        batches.iter().map(|clips| clips.iter().filter(walked).count()).collect()
    };
    assert_eq!(counts(&batches(&config, loader.clone(), 0..3)), [9, 9, 9]);
    assert!(train(&config).decoded_frames() == 0);
    std::fs::write(folder.path().join("walks/front/ep_4.mp4"), "no video").unwrap();
    let dataset = train(&config);
    let mut loader = Loader::new(dataset.clone(), &loader, 0).unwrap();
    let after: Vec<Vec<Clip>> = (0..3).map(|_| loader.next_batch().unwrap().clips).collect();
    assert_eq!(counts(&after), [9, 9, 9], "one of the same data set takes its place");
    let skipped = dataset.skipped();
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].path.ends_with("walks/front/ep_4.mp4"));
    assert!(dataset.decoded_frames() > 0);
    let clips = in_order(dataset.as_ref(), 4).flat_map(|batch| batch.unwrap().clips).count();
    assert_eq!(clips, 11, "left out");
    let strict = DataConfig { max_broken_fraction: 0.0, ..config };
    let message = in_order(train(&strict).as_ref(), 4).find_map(Result::err).unwrap().to_string();
    assert!(
        message.starts_with("1 of 6 videos are broken, more than data.max_broken_fraction = 0 allows"),
        "{message}"
    );
    let sized = DataConfig { size: Some(16), ..strict };
    assert_eq!(train(&sized).spaces().cameras["pixels"], Camera { height: 16, width: 16 });
}
