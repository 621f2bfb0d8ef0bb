//! Videos with a table beside them.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use prevision_core::{Array2, Camera, FrameBuffer, Observations, Spaces};
use prevision_data::convert::convert;
use prevision_data::{
    DataConfig, Episode, EpisodeOptions, EpisodeSource, EpisodeWriter, Formats, Split, in_order, open_recording,
};
use prevision_video::{Mp4Options, Mp4Writer, Quality};
use tempfile::TempDir;

/// A video of gray frames, each a little lighter than the one before.
fn video(path: &Path, frames: u8, frame_rate: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let options = Mp4Options { width: 16, height: 16, frame_rate, quality: Quality::Lossless, keyframe_interval: 4 };
    let mut writer = Mp4Writer::create(path, &options).unwrap();
    for frame in 0..frames {
        writer.write(&[frame * 3; 16 * 16 * 3]).unwrap();
    }
    writer.finish().unwrap();
}

/// A folder with a table, its options, and the videos `a.mp4` of 4 frames and `b.mp4` of 3 frames, ten a second.
fn folder(table: &str, options: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    video(&folder.path().join("a.mp4"), 4, 10);
    video(&folder.path().join("b.mp4"), 3, 10);
    std::fs::write(folder.path().join("log.csv"), table).unwrap();
    if !options.is_empty() {
        std::fs::write(folder.path().join("table.toml"), options).unwrap();
    }
    folder
}

fn open(at: &Path) -> Box<dyn EpisodeSource> {
    let (format, source) = open_recording(at, None, &Formats::built_in(), 1).unwrap();
    assert_eq!(format.as_deref(), Some("table"));
    source
}

fn column(folder: &TempDir, name: &str) -> Vec<f32> {
    open(folder.path()).column(name).unwrap().data
}

/// The message of a table that cannot be opened, or whose first column cannot be read.
fn message(folder: &TempDir) -> String {
    match Formats::built_in().open(folder.path(), Some("table")) {
        Err(error) => error.to_string(),
        Ok(source) => {
            let columns = source.columns().unwrap();
            source.column(&columns[0]).unwrap_err().to_string()
        }
    }
}

fn refused(table: &str, options: &str, expected: &str) {
    let folder = folder(table, options);
    let found = message(&folder);
    assert!(found.contains(expected), "{found}\nexpected: {expected}");
    assert!(found.contains(folder.path().to_str().unwrap()), "{found}");
}

/// Rows of `a.mp4` twice as often as its frames, and two of `b.mp4`.
const LOG: &str = "\
video,time,dx,state_x,state_y,note
a.mp4,0.00,1,0,10,start
a.mp4,0.05,2,1,11,
a.mp4,0.10,3,2,12,
a.mp4,0.15,4,3,13,
a.mp4,0.20,5,4,14,
a.mp4,0.26,6,5,15,
a.mp4,0.32,7,6,16,
b.mp4,0.00,8,7,17,
b.mp4,0.16,9,8,18,
";

#[test]
fn rows_are_placed_by_time() {
    let held = folder(LOG, "");
    let source = open(held.path());
    assert_eq!((source.episodes(), source.length(0), source.length(1)), (2, 4, 3));
    assert_eq!(source.cameras().unwrap(), ["pixels"]);
    assert_eq!(source.columns().unwrap(), ["dx", "state"], "texts are left out");
    assert_eq!(source.column("dx").unwrap().data, [1.0, 3.0, 5.0, 6.0, 8.0, 8.0, 9.0]);
    let state = source.column("state").unwrap();
    assert_eq!((state.rows, state.columns), (7, 2));
    assert_eq!(state.data, [0.0, 10.0, 2.0, 12.0, 4.0, 14.0, 5.0, 15.0, 7.0, 17.0, 7.0, 17.0, 8.0, 18.0]);
    for (rule, expected) in [
        ("hold", [1.0, 3.0, 5.0, 6.0, 8.0, 8.0, 9.0]),
        ("nearest", [1.0, 3.0, 5.0, 7.0, 8.0, 9.0, 9.0]),
        // 6 + 0.04 / 0.06; 8 + 0.1 / 0.16; behind the last row that one.
        ("linear", [1.0, 3.0, 5.0, 6.666_666_7, 8.0, 8.625, 9.0]),
        ("mean", [1.5, 3.5, 5.5, 7.0, 8.0, 9.0, 9.0]),
        ("sum", [3.0, 7.0, 11.0, 7.0, 8.0, 9.0, 0.0]),
    ] {
        let folder = folder(LOG, &format!("resample = {{ dx = \"{rule}\" }}"));
        let found = column(&folder, "dx");
        assert!(found.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{rule}: {found:?}");
        assert_eq!(column(&folder, "state"), state.data, "{rule} is for the other column");
    }
}

#[test]
fn clocks() {
    let shifted = |by: f64, extra: &str| {
        let mut lines = LOG.lines();
        let mut text = lines.next().unwrap().to_owned() + if extra.is_empty() { "\n" } else { ",video_start\n" };
        for line in lines {
            let fields: Vec<&str> = line.split(',').collect();
            let time = fields[1].parse::<f64>().unwrap() + by;
            writeln!(text, "{},{time:.3},{}{extra}", fields[0], fields[2..].join(",")).unwrap();
        }
        text
    };
    let wanted = [1.0, 3.0, 5.0, 6.0, 8.0, 8.0, 9.0];
    assert_eq!(column(&folder(&shifted(1_700_000_000.0, ""), "clock = \"absolute\""), "dx"), wanted);
    assert_eq!(column(&folder(&shifted(1_700_000_000.0, ",1700000000"), ""), "dx"), wanted);
    // The log begins 60 ms behind the first frame.
    let late = shifted(1_700_000_000.06, ",1700000000");
    assert_eq!(column(&folder(&late, ""), "dx"), [1.0, 1.0, 3.0, 5.0, 8.0, 8.0, 8.0]);
    refused(&shifted(1_700_000_000.0, ""), "", "7 of 7 rows for ");
    refused(&shifted(1_700_000_000.0, ""), "", "unless table.toml has clock = \"absolute\"");
    refused(&late, "clock = \"absolute\"", "clock is \"absolute\", but the table has a column that tells");
    refused(
        &late,
        "max_gap = 0.05",
        "is 0.060 s from line 2, of which `hold` would make it, more than max_gap = 0.050",
    );
}

#[test]
fn rows_are_placed_by_frame() {
    // In any order, and the videos by turns.
    let rows = "video;frame;act.0;act.1\na.mp4;1;2;0.1\nb.mp4;0;5;1e-40\na.mp4;0;1;-0\nb.mp4;1;6;\na.mp4;3;4;nan\nb.mp4;2;7;inf\na.mp4;2;3;TRUE\n";
    let placed = folder(rows, "");
    let act = open(placed.path()).column("act").unwrap();
    let bits: Vec<u32> = act.data.iter().map(|value| value.to_bits()).collect();
    let expected =
        [1.0, -0.0, 2.0, 0.1, 3.0, 1.0, 4.0, f32::NAN, 5.0, 1e-40, 6.0, f32::NAN, 7.0, f32::INFINITY].map(f32::to_bits);
    assert_eq!(bits, expected);

    let missing = "video,frame,act\na.mp4,0,1\na.mp4,1,2\na.mp4,3,4\n";
    refused(missing, "", "column `act`: there is no row for frame 2 of");
    assert_eq!(column(&folder(missing, "resample.default = \"hold\""), "act"), [1.0, 2.0, 2.0, 4.0]);
    assert_eq!(column(&folder(missing, "resample.act = \"linear\""), "act"), [1.0, 2.0, 3.0, 4.0]);
    refused("video,frame,act\na.mp4,0,1\na.mp4,1,2\na.mp4,2,2\n", "", "there is no row for frame 3 of");
    let twice = "video,frame,act\na.mp4,0,1\na.mp4,1,2\na.mp4,1,5\na.mp4,2,3\na.mp4,3,4\n";
    refused(twice, "", "line 4 is another row for frame 1 of");
    for (rule, expected) in [("hold", 5.0), ("mean", 3.5), ("sum", 7.0)] {
        let found = column(&folder(twice, &format!("resample.act = \"{rule}\"")), "act");
        assert_eq!(found, [1.0, expected, 3.0, 4.0], "{rule}");
    }
    refused("video,frame,act\na.mp4,0,1\n", "resample.act = \"hold\"", "at 2.000 frames, is 2.000 frames from line 2");
}

#[test]
fn two_cameras_and_names_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    for (name, frames) in [("front/1.mp4", 3), ("wrist/1.mp4", 3), ("front/2.mp4", 2), ("wrist/two.mp4", 2)] {
        video(&place(name), frames, 10);
    }
    let rows = |last: &str| {
        format!(
            "video.wrist,frame,video.front,a\nwrist/1.mp4,0,./front/1.mp4,1\nwrist/1.mp4,1,front/1.mp4,2\nwrist/1.mp4,2,front/1.mp4,3\n{last}"
        )
    };
    let write = |last: &str| std::fs::write(place("log.csv"), rows(last)).unwrap();
    // A name alone is enough where there is one file of this name.
    write("two.mp4,0,2.mp4,4\nwrist/two.mp4,1,front/2.mp4,5\n");
    let source = open(folder.path());
    assert_eq!(source.cameras().unwrap(), ["front", "wrist"]);
    assert_eq!((source.length(0), source.length(1)), (3, 2));
    assert_eq!(source.column("a").unwrap().data, [1.0, 2.0, 3.0, 4.0, 5.0]);
    for (camera, end) in [("front", "front/2.mp4"), ("wrist", "wrist/two.mp4")] {
        assert!(format!("{:?}", source.frames_of(camera, 1)).contains(end));
        assert_eq!(source.frames(camera, 1, &[1]).unwrap().data[0], 3);
    }
    let refused = |last: &str, expected: &str| {
        write(last);
        let found = Formats::built_in().open(folder.path(), None).err().unwrap().to_string();
        assert!(found.contains(expected), "{found}");
    };
    refused("wrist/two.mp4,0,front/1.mp4,4\n", "line 5: ");
    refused("wrist/two.mp4,0,wrist/two.mp4,4\n", "wrist/two.mp4 is the video of camera `front` here, but");
    refused("wrist/1.mp4,0,front/2.mp4,4\n", "line 5: ");
    refused("1.mp4,0,front/2.mp4,4\n", "line 5: 1.mp4 may be ");
    refused("wrist/3.mp4,0,front/2.mp4,4\n", "line 5: there is no video");
    refused(",0,front/2.mp4,4\n", "line 5: column `video.wrist` is empty, expected the file of a video");
    video(&place("wrist/two.mp4"), 1, 10);
    refused("wrist/two.mp4,0,front/2.mp4,4\n", "front/2.mp4: has 2 frames, expected the 1 of");
}

#[test]
fn what_is_wrong_is_named() {
    refused("video,act\na.mp4,1\n", "", "has no column `frame` or `time`; columns here: video, act");
    refused("file,frame,act\na.mp4,0,1\n", "", "has no column `video` or `video.NAME`; columns here: file, frame, act");
    refused("video,frame,time,act\na.mp4,0,0,1\n", "", "`align` in table.toml has to say");
    refused("video,frame,act,act\na.mp4,0,0,1\n", "", "two columns are called `act`");
    refused("video,frame,act\n", "", "has no rows");
    refused("", "", "has no column `video`");
    refused("video,frame,act\na.mp4,0.5,1\n", "", "line 2: column `frame` is 0.5, expected a whole number from 0 up");
    refused("video,frame,act\na.mp4,,1\n", "", "line 2: column `frame` is NaN, expected a whole number");
    refused("video,frame,act\na.mp4,4,1\n", "", "line 2 is for frame 4 of");
    refused("video,time,act\na.mp4,12:30,1\n", "", "line 2: column `time` is \"12:30\", expected a number");
    refused("video,time,act\na.mp4,inf,1\n", "", "line 2: column `time` is inf, expected seconds");
    refused("video,time,act\na.mp4,0.2,1\nb.mp4,0,1\na.mp4,0.1,1\n", "", "line 4: the time falls from 0.2 to 0.1");
    refused(
        "video,time,act_x,act_y\na.mp4,0,1,2\na.mp4,0.1,1,two\n",
        "",
        "line 3: column `act_y` is \"two\", expected a number, as the others of column `act` (act_x, act_y)",
    );
    refused("video,frame,act\na.mp4,0,1,5\n", "", "line 2: has 4 fields, the first line has 3");
    refused("video,frame,act\na.mp4,0,1\ngone.mp4,0,1\n", "", "line 3: there is no video");
    let one = "video,time,act\na.mp4,0,1\n";
    refused(one, "clok = \"absolute\"", "unknown field `clok`");
    refused(one, "resample.act = \"cubic\"", "unknown variant `cubic`");
    refused(one, "resample.action = \"mean\"", "resample.action: there is no such column; columns here: act");
    refused(one, "max_gap = -1", "max_gap is -1, expected a number of 0 or more");
    refused(one, "align = \"frame\"", "has no column `frame`");
    refused(
        "video,frame,act\na.mp4,0,1\n",
        "clock = \"relative\"",
        "clock is \"relative\", but rows are placed by frame",
    );
    refused(one, "columns.action = [\"dx\"]", "columns.action: the table has no column `dx` of values");
    // One row holds for a frame, and no further.
    refused(one, "", "frame 2 of ");

    let broken = folder("video,frame,act\na.mp4,0,1\n", "");
    let path = broken.path().join("a.mp4");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
    let found = message(&broken);
    assert!(found.contains("a.mp4: broken: ") && found.contains("named in"), "{found}");
    let missing = open(folder(LOG, "").path()).column("action").unwrap_err().to_string();
    assert!(
        missing.contains("has no column `action`; columns here: dx, state; line 2: column `note` is \"start\""),
        "{missing}"
    );
}

#[test]
fn a_place_is_known_by_its_header() {
    let formats = Formats::built_in();
    let detect = |folder: &TempDir| formats.detect(folder.path());
    let table = folder(LOG, "");
    assert_eq!(detect(&table).as_deref(), Some("table"));
    assert_eq!(formats.detect(&table.path().join("log.csv")).as_deref(), Some("table"));
    assert_eq!(formats.detect(&table.path().join("gone.csv")), None);
    // Videos with labels are no episodes.
    assert_eq!(detect(&folder("video,label\na.mp4,1\n", "")), None);
    assert_eq!(detect(&folder("path,frame\na.mp4,1\n", "")), None);
    std::fs::write(table.path().join("other.csv"), "x\n1\n").unwrap();
    assert_eq!(detect(&table).as_deref(), Some("table"), "which of them is the question");
    assert!(
        message(&table).contains("holds 2 tables (csv, tsv, parquet), log.csv and other.csv among them, expected one"),
        "{}",
        message(&table)
    );
    assert_eq!(open(&table.path().join("log.csv")).episodes(), 2);
    // What cannot be opened is told, and not passed over.
    let doubled = folder(&LOG.replacen("video,", "video,video,", 1), "");
    assert_eq!(detect(&doubled).as_deref(), Some("table"));
    assert!(message(&doubled).contains("two columns are called `video`"), "{}", message(&doubled));
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(LOG.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let table = folder(LOG, "");
    std::fs::write(table.path().join("log.csv"), wide).unwrap();
    assert_eq!(detect(&table).as_deref(), Some("table"));
    assert!(message(&table).contains("log.csv"), "{}", message(&table));
}

#[test]
fn times_in_milliseconds_are_refused() {
    let rows = (0..9).map(|row| format!("a.mp4,{},{row}\n", row * 50)).collect::<Vec<_>>().concat();
    refused(&format!("video,time,act\n{rows}"), "", "8 of 9 rows for ");
    // A log that goes on for a while behind its video is nothing strange.
    let rows = (0..9).map(|row| format!("a.mp4,{},{row}\n", f64::from(row) * 0.1)).collect::<Vec<_>>().concat();
    assert_eq!(column(&folder(&format!("video,time,act\n{rows}"), ""), "act"), [0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn parquet_as_pandas_writes_it() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/table");
    let folder = tempfile::tempdir().unwrap();
    video(&folder.path().join("a.mp4"), 4, 10);
    video(&folder.path().join("b.mp4"), 3, 10);
    let place = folder.path().join("actions.parquet");
    std::fs::copy(golden.join("actions.parquet"), &place).unwrap();
    let source = open(folder.path());
    assert_eq!(source.columns().unwrap(), ["action", "grip", "state"]);
    let action = source.column("action").unwrap();
    assert_eq!((action.rows, action.columns), (7, 2));
    assert_eq!(action.data, [0.0, 0.0, 2.0, -1.0, 4.0, -2.0, 6.0, -3.0, 8.0, -4.0, 9.0, -4.5, 10.0, -5.0]);
    let state = source.column("state").unwrap().data;
    assert_eq!(state, [0.0, 0.0, 0.5, 20.0, 1.0, 40.0, 1.5, 60.0, 2.0, 80.0, 2.25, 90.0, 2.5, 100.0]);
    assert_eq!(source.column("grip").unwrap().data, [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0]);

    std::fs::write(folder.path().join("table.toml"), "clock = \"absolute\"\nresample.state_y = \"mean\"").unwrap();
    std::fs::rename(&place, folder.path().join("actions.kept")).unwrap();
    std::fs::copy(golden.join("stamps.parquet"), &place).unwrap();
    let means = open(folder.path()).column("state_y").unwrap().data;
    assert_eq!(means, [5.0, 25.0, 45.0, 65.0, 80.0, 90.0, 100.0]);

    let bytes = std::fs::read(&place).unwrap();
    for cut in [0, 3, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&place, &bytes[..cut]).unwrap();
        let found = Formats::built_in().open(folder.path(), Some("table")).err().unwrap().to_string();
        assert!(found.contains("actions.parquet: not a Parquet file"), "{found}");
    }
}

/// Three recorded episodes with what is hard to write as text.
fn record(folder: &Path) {
    let spaces =
        Spaces { cameras: BTreeMap::from([("pixels".into(), Camera { height: 16, width: 24 })]), ..Spaces::default() };
    let mut writer = EpisodeWriter::create(folder, &spaces, &EpisodeOptions::default()).unwrap();
    for (number, length) in [7, 12, 9].into_iter().enumerate() {
        let mut frames = FrameBuffer::new(length, 16, 24);
        let (mut action, mut state) = (Array2::zeros(0, 2), Array2::zeros(0, 1));
        for moment in 0..length {
            frames.frame_mut(moment).iter_mut().enumerate().for_each(|(place, sample)| {
                *sample = (place * 3 + moment * 17 + number * 40) as u8;
            });
            let last = moment + 1 == length;
            action.push(&if last { [f32::NAN; 2] } else { [moment as f32 / 3.0, f32::MIN_POSITIVE / 8.0] });
            state.push(&[f32::MAX / (1.0 + moment as f32) * if number == 1 { -1.0 } else { 1e-20 }]);
        }
        let columns = BTreeMap::from([("action".into(), action), ("state".into(), state)]);
        writer.write(&Episode { observations: Observations::of_camera("pixels", frames), columns }).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_recording_becomes_a_table_and_back_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    record(&place("own"));
    let formats = Formats::built_in();
    let own = formats.open(&place("own"), None).unwrap();
    convert(own.as_ref(), "table", &formats, &place("table"), |_, _| true).unwrap();
    let text = std::fs::read_to_string(place("table/episodes.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 29);
    assert_eq!(lines[0], "video,frame,action.0,action.1,state");
    assert!(lines[9].starts_with("videos/pixels/ep_000001.mp4,1,0.33333334,"), "{}", lines[9]);
    let table = open(&place("table"));
    convert(table.as_ref(), "video", &formats, &place("back"), |_, _| true).unwrap();
    let back = formats.open(&place("back"), None).unwrap();
    for other in [&table, &back] {
        assert_eq!(other.columns().unwrap(), ["action", "state"]);
        for name in ["action", "state"] {
            let bits = |source: &dyn EpisodeSource| -> Vec<u32> {
                source.column(name).unwrap().data.iter().map(|value| value.to_bits()).collect()
            };
            assert_eq!(bits(own.as_ref()), bits(other.as_ref()), "{name}");
        }
        for episode in 0..3 {
            let all: Vec<usize> = (0..own.length(episode)).collect();
            let frames = |source: &dyn EpisodeSource| source.frames("pixels", episode, &all).unwrap();
            assert!(frames(own.as_ref()) == frames(other.as_ref()));
        }
    }
    // A name that a table gives another meaning.
    let mut renamed = std::fs::read(place("own/state.npz")).unwrap();
    std::fs::write(place("own/frame.npz"), std::mem::take(&mut renamed)).unwrap();
    let refused = convert(own.as_ref(), "table", &formats, &place("out"), |_, _| true).unwrap_err().to_string();
    assert!(refused.contains("cannot be a table: two columns are called `frame`"), "{refused}");
    assert!(!place("out").exists());
}

#[test]
fn clips_of_a_table() {
    let folder = folder(LOG, "resample = { dx = \"sum\" }");
    let source = crate::common::source("episodes", &folder.path().join("log.csv")).with("action", "dx");
    let config =
        DataConfig { source, frames: 3, clips_per_video: 1, validation_fraction: 0.0, ..DataConfig::default() };
    let dataset = crate::common::open_side(&config, Split::Train, 1).unwrap();
    let mut clips: Vec<_> = in_order(dataset.as_ref(), 1).flat_map(|batch| batch.unwrap().clips).collect();
    clips.sort_by_key(|clip| clip.source.video);
    assert_eq!(clips.len(), 2);
    let start = clips[0].source.start;
    assert_eq!(clips[0].actions.as_ref().unwrap().data, [[3.0, 7.0], [7.0, 11.0]][start]);
    assert_eq!(clips[1].state.as_ref().unwrap().data, [7.0, 17.0, 7.0, 17.0, 8.0, 18.0]);
    assert_eq!(crate::common::frames(&clips[1]).frame(2)[0], 6);
}
