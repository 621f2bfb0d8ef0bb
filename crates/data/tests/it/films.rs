//! Facts about sets of matched films.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::Path;

use prevision_core::FrameBuffer;
use prevision_data::films::{Film, FilmSet};
use prevision_data::{DataConfig, PhysicsFilmsOptions, write_quadruplets};
use prevision_video::{Mp4Options, Mp4Writer, Quality};

fn read(set: &FilmSet, film: usize) -> FrameBuffer {
    set.read(film, &DataConfig::default(), (64, 64)).unwrap()
}

#[test]
fn a_quadruplet_has_two_possible_and_two_impossible_films() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("films");
    let options = PhysicsFilmsOptions { lamps: 1.0, lamp_frame: [13, 13], ..PhysicsFilmsOptions::default() };
    assert_eq!(write_quadruplets(&out, &options, 3, 5).unwrap(), 12);
    let set = FilmSet::open(&out).unwrap();
    let film = |name: &str, kind: &str, possible| Film {
        name: name.to_owned(),
        group: "permanence_moving 1".to_owned(),
        kind: format!("permanence_moving {kind}"),
        possible,
    };
    let expected = [film("4", "1-1", true), film("5", "0-0", true), film("6", "1-0", false), film("7", "0-1", false)];
    assert_eq!(set.films()[4..8], expected);
    let [passes, nothing, vanishes, appears] = [4, 5, 6, 7].map(|film| read(&set, film));
    for frame in 0..24 {
        let all = [&passes, &nothing, &vanishes, &appears].map(|film| film.frame(frame));
        assert!(all[2..] == [all[0], all[1]] || all[2..] == [all[1], all[0]], "frame {frame}");
    }
    assert!(vanishes.frame(5) == passes.frame(5) && vanishes.frame(5) != nothing.frame(5));
    assert!(vanishes.frame(18) == nothing.frame(18) && appears.frame(18) == passes.frame(18));
    assert_eq!(nothing.frame(12)[3 * 64 * 3], 25);
    assert_eq!(nothing.frame(13)[3 * 64 * 3], 235);
    let message = write_quadruplets(&out, &options, 3, 5).unwrap_err().to_string();
    assert!(message.ends_with("films: is not empty; choose another folder or remove it"), "{message}");
}

#[test]
fn films_are_brought_to_size() {
    let folder = tempfile::tempdir().unwrap();
    write_quadruplets(folder.path(), &PhysicsFilmsOptions::default(), 1, 5).unwrap();
    let set = FilmSet::open(folder.path()).unwrap();
    let small = set.read(0, &DataConfig { size: Some(32), ..DataConfig::default() }, (32, 32)).unwrap();
    assert_eq!([small.frames, small.height, small.width], [24, 32, 32]);
    let message = set.read(0, &DataConfig::default(), (32, 32)).unwrap_err().to_string();
    assert_eq!(set.read_whole(0).unwrap().width, 64);
    assert!(message.contains("is 64x64, the other videos are 32x32 (data.size"), "{message}");
}

#[test]
fn labels_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write_quadruplets(folder.path(), &PhysicsFilmsOptions::default(), 1, 5).unwrap();
    let labels = folder.path().join("labels.json");
    let text = std::fs::read_to_string(&labels).unwrap();
    let refused = |text: &str| {
        std::fs::write(&labels, text).unwrap();
        FilmSet::open(folder.path()).unwrap_err().to_string()
    };
    assert!(refused("[]").ends_with("labels.json: labels of 0 films, films.npz has 4"));
    let message = refused(&text.replace("\"i\": 3", "\"i\": 2"));
    assert!(message.ends_with("labels.json: film i = 2 is beyond the last one or there twice"), "{message}");
    let message = refused(&text.replace("\"possible\"", "\"likely\""));
    assert!(message.contains("labels.json: missing field `possible`"), "{message}");
    std::fs::remove_file(&labels).unwrap();
    assert!(FilmSet::open(folder.path()).unwrap_err().to_string().contains("labels.json: "));
}

/// A film of one brightness for each frame.
fn video(path: &Path, levels: &[u8]) {
    let options =
        Mp4Options { width: 64, height: 64, frame_rate: 10, quality: Quality::Lossless, keyframe_interval: 8 };
    let mut writer = Mp4Writer::create(path, &options).unwrap();
    for &level in levels {
        writer.write(&vec![level; 64 * 64 * 3]).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_table_names_video_files() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("films.csv");
    video(&folder.path().join("a.mp4"), &[10, 20]);
    video(&folder.path().join("b c.mp4"), &[30, 40, 50]);
    let open = |text: &str| {
        std::fs::write(&table, text).unwrap();
        FilmSet::open(&table)
    };
    let set = open("possible,path,group,kind\ntrue,a.mp4,ball,\nFalse,\"b c.mp4\",ball,vanishes\n").unwrap();
    let film = |name: &str, kind: &str, possible| Film {
        name: name.to_owned(),
        group: "ball".to_owned(),
        kind: kind.to_owned(),
        possible,
    };
    assert_eq!(set.films(), [film("a.mp4", "film", true), film("b c.mp4", "vanishes", false)]);
    let frames = read(&set, 1);
    assert_eq!((frames.frames, [0, 1, 2].map(|frame| frames.frame(frame)[0])), (3, [30, 40, 50]));
    assert_eq!(set.read_whole(1).unwrap(), frames);
    let refused = |text: &str| open(text).unwrap_err().to_string();
    let message = refused("path,group\na.mp4,ball\n");
    assert!(
        message.ends_with("has no column possible, expected path, group, possible; columns: path, group"),
        "{message}"
    );
    let message = refused("path,group,possible\na.mp4,ball,maybe\n");
    assert!(message.ends_with("films.csv, line 2: possible is `maybe`, expected true or false"), "{message}");
    let message = refused("path,group,possible\na.mp4,ball,true\nd.mp4,ball,false\n");
    assert!(message.contains("films.csv, line 3: there is no file ") && message.ends_with("d.mp4"), "{message}");
    assert!(refused("path,group,possible\n").ends_with("films.csv: no film"));
}

#[test]
fn shared_films() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/voe_example"));
    if !path.exists() {
        return;
    }
    let set = FilmSet::open(path).unwrap();
    assert_eq!(set.films().len(), 40);
    let impossible: Vec<usize> = (0..8).filter(|&film| !set.films()[film].possible).collect();
    assert_eq!(impossible, [2, 3, 6, 7]);
    let first = read(&set, 0);
    assert_eq!([first.frames, first.height, first.width], [24, 64, 64]);
    // Rows 36 and 44 of frame 5: the wall beside the object, the object, the occluder.
    let at = |row: usize, column: usize| first.frame(5)[(row * 64 + column) * 3];
    assert_eq!([at(36, 2), at(44, 8), at(44, 21)], [100, 239, 11]);
}
