//! Faults planted into recordings are found, and nothing is found without them.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::collections::BTreeMap;
use std::path::Path;

use prevision_core::{Array2, Camera, FrameBuffer, Observations, Space, Spaces};
use prevision_data::check::{CheckOptions, CheckReport, Severity, check_episodes};
use prevision_data::{Episode, EpisodeOptions, EpisodeWriter, Formats, open_recording};
use rand::{Rng as _, SeedableRng as _};

const EPISODES: usize = 12;
const MOMENTS: usize = 60;
const SIDE: usize = 32;

/// A disc that actions push about; the state is its place and an angle.
fn episodes() -> Vec<Episode> {
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    (0..EPISODES)
        .map(|_| {
            let mut frames = FrameBuffer::new(MOMENTS, SIDE, SIDE);
            let (mut action, mut state) = (Array2::zeros(0, 2), Array2::zeros(0, 3));
            let mut place: [f32; 2] = [rng.random_range(6.0..26.0), rng.random_range(6.0..26.0)];
            let (mut push, mut angle) = ([0.0_f32; 2], rng.random_range(2.0..4.0_f32));
            for moment in 0..MOMENTS {
                draw(frames.frame_mut(moment), place);
                state.push(&[place[0], place[1], angle]);
                for axis in 0..2 {
                    push[axis] = 0.7 * push[axis] + rng.random_range(-1.0..1.0_f32);
                    place[axis] = (place[axis] + push[axis]).clamp(4.0, 28.0);
                }
                angle = (angle + 0.05 * push[0] + 0.02 * rng.random_range(-1.0..1.0_f32)).clamp(1.0, 5.0);
                action.push(&if moment + 1 < MOMENTS { push } else { [f32::NAN; 2] });
            }
            let columns = BTreeMap::from([("action".into(), action), ("state".into(), state)]);
            Episode { observations: Observations::of_camera("pixels", frames), columns }
        })
        .collect()
}

fn draw(frame: &mut [u8], place: [f32; 2]) {
    for (pixel, rgb) in frame.chunks_exact_mut(3).enumerate() {
        let (x, y) = ((pixel % SIDE) as f32, (pixel / SIDE) as f32);
        let distance = ((x - place[0]).powi(2) + (y - place[1]).powi(2)).sqrt();
        rgb.fill(40 + (200.0 * (1.0 - distance / 5.0).max(0.0)) as u8);
    }
}

fn write(folder: &Path, episodes: &[Episode]) {
    let spaces = Spaces {
        frames: 1,
        frame_step: 1,
        cameras: BTreeMap::from([("pixels".into(), Camera { height: SIDE, width: SIDE })]),
        action: Some(Space::Unbounded { dim: 2 }),
        state: Some(3),
        ..Spaces::default()
    };
    let mut writer = EpisodeWriter::create(folder, &spaces, &EpisodeOptions::default()).unwrap();
    writer.write_many(episodes, 2).unwrap();
    writer.finish().unwrap();
}

fn check(folder: &Path) -> CheckReport {
    let (_, source) = open_recording(folder, None, &Formats::built_in(), 2).unwrap();
    let options = CheckOptions {
        cameras: vec![],
        action: "action".into(),
        state: "state".into(),
        frames: 16,
        validation_fraction: 0.1,
        seed: 0,
        workers: 2,
    };
    check_episodes(folder, source.as_ref(), &options, &|_, _| ()).unwrap()
}

/// What is found in recordings with a fault.
fn found(plant: impl FnOnce(&mut Vec<Episode>)) -> CheckReport {
    let folder = tempfile::tempdir().unwrap();
    let mut episodes = episodes();
    plant(&mut episodes);
    write(folder.path(), &episodes);
    check(folder.path())
}

fn is_told(report: &CheckReport, check: &str, severity: Severity, episode: Option<usize>) -> bool {
    report.findings.iter().any(|f| f.check == check && f.severity == severity && f.episode == episode)
}

/// Checks that a fault is found, at its place, and that nothing else is but what `also` names.
#[track_caller]
fn finds(
    check: &str,
    severity: Severity,
    episode: Option<usize>,
    also: &[&str],
    plant: impl FnOnce(&mut Vec<Episode>),
) {
    let report = found(plant);
    assert!(is_told(&report, check, severity, episode), "{check}: {:#?}", report.findings);
    let others: Vec<_> = report.findings.iter().filter(|f| f.check != check && !also.contains(&f.check)).collect();
    assert!(others.is_empty(), "{check}: {others:#?}");
    assert_eq!(report.has_errors(), report.findings.iter().any(|f| f.severity == Severity::Error));
}

fn column<'a>(episodes: &'a mut [Episode], episode: usize, name: &str) -> &'a mut Array2 {
    episodes[episode].columns.get_mut(name).unwrap()
}

fn frames(episodes: &mut [Episode], episode: usize) -> &mut FrameBuffer {
    episodes[episode].observations.cameras.get_mut("pixels").unwrap()
}

/// Moves the rows of a column down by one in every episode.
fn late(episodes: &mut [Episode]) {
    for episode in 0..EPISODES {
        let action = column(episodes, episode, "action");
        action.data.copy_within(..(MOMENTS - 1) * 2, 2);
    }
}

#[test]
fn nothing_is_found_in_a_sound_recording() {
    let report = found(|_| ());
    assert_eq!(report.findings, []);
    assert_eq!((report.episodes, report.moments), (EPISODES, EPISODES * MOMENTS));
    let mean = report.normalise.unwrap().mean[0];
    assert!((0.1..0.4).contains(&mean), "{mean}");
}

#[test]
fn faults_of_numbers() {
    use Severity::{Error, Warning};
    finds("not-finite", Error, Some(5), &[], |all| column(all, 5, "action").data[20] = f32::NAN);
    finds("not-finite", Error, Some(4), &[], |all| column(all, 4, "state").data[30] = f32::INFINITY);
    finds("jump", Error, Some(5), &[], |all| column(all, 5, "state").data[90] += 90.0);
    finds("constant-column", Warning, None, &[], |all| {
        (0..EPISODES).for_each(|e| column(all, e, "action").data.iter_mut().skip(1).step_by(2).for_each(|v| *v = 3.0));
    });
    finds("saturation", Warning, None, &[], |all| {
        (0..EPISODES).for_each(|e| column(all, e, "action").data.iter_mut().for_each(|v| *v = v.clamp(-0.5, 0.5)));
    });
    finds("scale", Error, Some(2), &["jump"], |all| {
        for episode in [2, 3] {
            column(all, episode, "state")
                .data
                .iter_mut()
                .skip(2)
                .step_by(3)
                .for_each(|angle| *angle = angle.to_degrees());
        }
    });
    finds("action-lag", Error, None, &[], |all| late(all));
}

#[test]
fn faults_of_pictures() {
    use Severity::{Error, Warning};
    finds("black-frames", Error, Some(4), &[], |all| (30..33).for_each(|t| frames(all, 4).frame_mut(t).fill(0)));
    finds("frozen-frames", Error, Some(4), &[], |all| (21..45).for_each(|t| frames(all, 4).duplicate(20, t)));
    finds("repeated-frames", Error, Some(4), &[], |all| {
        (1..MOMENTS).step_by(2).for_each(|t| frames(all, 4).duplicate(t - 1, t));
    });
    finds("picture-lag", Error, None, &[], |all| {
        for episode in 0..EPISODES {
            (1..MOMENTS).rev().for_each(|t| frames(all, episode).duplicate(t - 1, t));
        }
    });
    finds("idle", Warning, Some(3), &["jump"], |all| {
        (11..50).for_each(|t| frames(all, 3).duplicate(10, t));
        for (name, width) in [("state", 3), ("action", 2)] {
            let rows = column(all, 3, name);
            (11..50).for_each(|t| rows.data.copy_within(10 * width..11 * width, t * width));
        }
    });
}

#[test]
fn faults_of_episodes() {
    use Severity::{Error, Warning};
    finds("duplicate-episode", Error, Some(9), &[], |all| all[9] = all[2].clone());
    finds("near-duplicate", Warning, Some(9), &[], |all| {
        all[9] = all[2].clone();
        frames(all, 9).data.iter_mut().step_by(7).for_each(|sample| *sample += 1);
        column(all, 9, "state").data.iter_mut().for_each(|value| *value += 0.01);
    });
    finds("short-episode", Warning, Some(6), &[], |all| {
        let Episode { observations, columns } = &mut all[6];
        let film = observations.cameras.get_mut("pixels").unwrap();
        film.data.truncate(9 * SIDE * SIDE * 3);
        film.frames = 9;
        for rows in columns.values_mut() {
            *rows = rows.slice(0, 9);
        }
    });
}

#[test]
fn faults_of_files() {
    let planted = |plant: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &episodes());
        plant(folder.path());
        check(folder.path())
    };
    let video = |folder: &Path, episode: usize| folder.join(format!("pixels/ep_{episode}.mp4"));
    let report = planted(&|folder| std::fs::write(video(folder, 3), "no video").unwrap());
    assert!(is_told(&report, "unreadable-video", Severity::Error, Some(3)), "{:#?}", report.findings);
    let report = planted(&|folder| std::fs::remove_file(video(folder, 3)).unwrap());
    assert!(is_told(&report, "unreadable-video", Severity::Error, Some(3)), "{:#?}", report.findings);
    let report = planted(&|folder| {
        let other = tempfile::tempdir().unwrap();
        let mut shorter = episodes();
        let film = frames(&mut shorter, 0);
        film.data.truncate(50 * SIDE * SIDE * 3);
        film.frames = 50;
        for rows in shorter[0].columns.values_mut() {
            *rows = rows.slice(0, 50);
        }
        write(other.path(), &shorter[..1]);
        std::fs::copy(video(other.path(), 0), video(folder, 3)).unwrap();
    });
    assert!(is_told(&report, "frame-count", Severity::Error, Some(3)), "{:#?}", report.findings);
    let report = planted(&|folder| {
        let other = tempfile::tempdir().unwrap();
        let spaces = Spaces {
            cameras: BTreeMap::from([("pixels".into(), Camera { height: SIDE, width: SIDE })]),
            ..Spaces::default()
        };
        let options = EpisodeOptions { frame_rate: 30, ..EpisodeOptions::default() };
        let mut writer = EpisodeWriter::create(other.path(), &spaces, &options).unwrap();
        writer.write(&episodes()[3]).unwrap();
        writer.finish().unwrap();
        std::fs::copy(video(other.path(), 0), video(folder, 3)).unwrap();
    });
    assert!(is_told(&report, "frame-rate", Severity::Error, Some(3)), "{:#?}", report.findings);
    let report = planted(&|folder| std::fs::write(folder.join("action.npz"), "no numbers").unwrap());
    let told = report.findings.iter().any(|f| f.check == "unreadable-column" && f.stream.as_deref() == Some("action"));
    assert!(told, "{:#?}", report.findings);
}

#[test]
fn plain_videos_are_called_by_their_files() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(other.path(), &episodes()[..3]);
    for (number, name) in ["a.mp4", "b.mp4", "c.mp4"].iter().enumerate() {
        std::fs::copy(other.path().join(format!("pixels/ep_{number}.mp4")), folder.path().join(name)).unwrap();
    }
    assert_eq!(check(folder.path()).findings, []);
    std::fs::write(folder.path().join("d.mp4"), "no video").unwrap();
    std::fs::copy(folder.path().join("a.mp4"), folder.path().join("e.mp4")).unwrap();
    let report = check(folder.path());
    let told: Vec<_> = report.findings.iter().map(|f| (f.check, f.file.as_deref().unwrap_or_default())).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].0 == "unreadable-video" && told[0].1.ends_with("d.mp4"), "{told:?}");
    assert!(told[1].0 == "duplicate-episode" && told[1].1.ends_with("e.mp4"), "{told:?}");
    assert!(report.findings[0].to_string().contains("d.mp4  cannot open"), "{}", report.findings[0]);
}
