//! Videos of episodes.

use std::fs;

use prevision_core::config::Part;
use prevision_model::HeadFlags;
use prevision_plan::{EpisodeVideos, Parts, PlanConfig, Rules, run_episodes, setup};

use super::corridor::{Corridor, Exact};
use super::models::{VECTORS, model, rooms, spaces};

#[test]
fn watched_episodes_become_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("videos");
    let solver = Part::new("random").with("samples", 8);
    let config = PlanConfig { solver, horizon: 3, execute: 3, ..PlanConfig::default() };
    let heads = HeadFlags { position: true, ..HeadFlags::default() };
    let mut worlds = rooms(2);
    let spec = worlds[0].spec().clone();
    let model = model(VECTORS, &spaces(1, 2), &heads);
    let mut policy = setup::policy(&config, &Parts::default(), model, &spec).unwrap();
    let rules = Rules { watched: 2, max_steps: Some(7), ..Rules::new(3, 5) };
    run_episodes(&mut worlds, policy.as_mut(), &rules, &mut EpisodeVideos::new(&folder)).unwrap();
    let mut names: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["episode-000.gif", "episode-000.mp4", "episode-001.mp4"]);
    let info = prevision_video::probe(&folder.join("episode-001.mp4")).unwrap();
    assert_eq!((info.width, info.height, info.frames), (390, 390, Some(8)));
}

#[test]
fn a_world_that_is_not_drawn_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut worlds = Corridor::rows(1, Corridor::new);
    let spec = worlds[0].spec().clone();
    let mut policy = setup::policy(&PlanConfig::default(), &Parts::default(), Exact::new(1, false), &spec).unwrap();
    let rules = Rules { watched: 1, max_steps: Some(2), ..Rules::new(2, 3) };
    run_episodes(&mut worlds, policy.as_mut(), &rules, &mut EpisodeVideos::new(folder.path())).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
