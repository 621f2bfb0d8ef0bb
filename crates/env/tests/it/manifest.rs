//! Lists of tasks: drawn, written, read, compared with the world.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use prevision_env::registry::{EnvConfig, Purpose, built_in};
use prevision_env::{Manifest, TaskOptions, Worlds, task_seed};

const ANY: [f64; 2] = [0.0, f64::INFINITY];

fn config(keys: &str) -> EnvConfig {
    EnvConfig::of("two-rooms", keys.parse().unwrap()).resolve(&built_in()).unwrap()
}

fn worlds(keys: &str) -> Box<dyn Worlds> {
    config(keys).world(&built_in()).unwrap().worlds(Purpose::Evaluation, 1).unwrap()
}

fn draw(count: usize, route: [f64; 2]) -> Manifest {
    Manifest::draw(worlds("").as_mut(), &config(""), &TaskOptions { count, seed: 3, route }).unwrap()
}

#[test]
fn what_is_written_is_read_back_and_is_the_world_s_task() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lists/two-rooms.json");
    let manifest = draw(20, ANY);
    manifest.write(&path).unwrap();
    let read = Manifest::read(&path).unwrap();
    assert_eq!(read, manifest);
    assert_eq!(read.config(), config(""));
    assert_eq!((read.world.as_str(), read.max_steps, read.sha256.len()), ("two-rooms", 200, 64));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 22);
    let mut worlds = worlds("");
    for (episode, task) in read.tasks.iter().enumerate() {
        assert_eq!(task.seed, task_seed(3, episode));
        let first = worlds.reset(0, task.seed, None).unwrap();
        task.check(&first, worlds.goal(0).as_ref()).unwrap();
        assert!(task.route.unwrap() >= task.distance.unwrap() - 1e-4);
    }
}

#[test]
fn routes_are_chosen_by_their_length() {
    let long = draw(10, [60.0, 80.0]);
    assert!(long.tasks.iter().all(|task| (60.0..=80.0).contains(&task.route.unwrap())));
    let options = TaskOptions { count: 2, seed: 0, route: [500.0, 600.0] };
    let message = Manifest::draw(worlds("").as_mut(), &config(""), &options).unwrap_err().to_string();
    assert_eq!(message, "world two-rooms: 0 of 2 tasks have a route of 500 to 600");
}

#[test]
fn changed_files_and_changed_worlds_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.json");
    let manifest = draw(2, ANY);
    manifest.write(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"max_steps\":200", "\"max_steps\":900")).unwrap();
    let message = Manifest::read(&path).unwrap_err().to_string();
    assert!(message.contains("tasks.json: sha256 is") && message.contains("changed after it was frozen"), "{message}");
    std::fs::write(&path, text.replace("prevision-tasks-1", "prevision-tasks-9")).unwrap();
    let message = Manifest::read(&path).unwrap_err().to_string();
    assert!(message.ends_with("format is prevision-tasks-9, expected prevision-tasks-1"), "{message}");
    // Another floor plan, another task.
    let mut worlds = worlds("layouts = \"training\"");
    let first = worlds.reset(0, manifest.tasks[0].seed, None).unwrap();
    let message = manifest.tasks[0].check(&first, worlds.goal(0).as_ref()).unwrap_err();
    assert!(message.starts_with("the world starts at Some(["), "{message}");
}
