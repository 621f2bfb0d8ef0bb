//! Worlds behind a process: what they show, and what happens when something is wrong with them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::worlds::{faulty, world};
use prevision_core::Space;
use prevision_env::process::{Fault, ProcessError};
use prevision_env::registry::{EnvConfig, Purpose, World, built_in};
use prevision_env::{EnvError, TimeStep, Worlds};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// The fault behind an error of a world.
fn fault(error: &EnvError) -> &ProcessError {
    let EnvError::Failed { source, .. } = error else { panic!("{error}") };
    source.downcast_ref().expect("a fault of a process")
}

/// Starts rows, resets each to its own seed and takes steps: the moments of each row.
fn play(world: &dyn World, rows: usize, steps: usize) -> Result<Vec<Vec<TimeStep>>, EnvError> {
    let mut worlds = world.worlds(Purpose::Evaluation, rows)?;
    play_in(worlds.as_mut(), steps, &mut |_| {})
}

fn play_in(
    worlds: &mut dyn Worlds,
    steps: usize,
    before: &mut dyn FnMut(usize),
) -> Result<Vec<Vec<TimeStep>>, EnvError> {
    let rows = worlds.rows();
    let mut seen = Vec::new();
    for row in 0..rows {
        before(row);
        seen.push(vec![worlds.reset(row, row as u64 + (1 << 40), None)?]);
    }
    for step in 0..steps {
        before(rows + step);
        // Every other step leaves a row out.
        let acting: Vec<usize> = (0..rows).filter(|row| rows == 1 || step % 2 == 0 || row % 2 == 0).collect();
        let actions: Vec<Vec<f32>> =
            acting.iter().map(|row| vec![0.25 * *row as f32 - 0.5, 0.125 * step as f32 - 0.5]).collect();
        let actions: Vec<&[f32]> = actions.iter().map(Vec::as_slice).collect();
        for (row, moment) in acting.iter().zip(worlds.step(&acting, &actions)?) {
            seen[*row].push(moment);
        }
    }
    Ok(seen)
}

#[test]
fn a_world_of_ones_own_is_like_any_other() {
    let world = world("python/my_world.py", "--size 48", "");
    let mut worlds = world.worlds(Purpose::Evaluation, 2).unwrap();
    let spec = worlds.spec().clone();
    assert_eq!(
        (spec.name.as_str(), spec.max_steps, spec.unit.as_deref(), spec.rewards),
        ("cmd:dot", 50, Some("px"), false)
    );
    assert_eq!(spec.spaces.action, Some(Space::Ball { dim: 2, radius: 3.0 }));
    let first = worlds.reset(1, 7, Some(&[10.0, 20.0])).unwrap();
    assert_eq!(first.state, Some(vec![10.0, 20.0]));
    // The dot glows where it is: exp(0) of red 255, and exp(-4 / 8) two pixels beside it.
    let frame = &first.observations.cameras["pixels"];
    let pixel = |x: usize, y: usize| frame.data[(y * 48 + x) * 3..][..3].to_vec();
    assert_eq!(
        (frame.height, frame.width, pixel(10, 20), pixel(12, 20)),
        (48, 48, vec![255, 80, 40], vec![154, 48, 24])
    );
    // Brought into the space: 3 of the way of a vector of length 50.
    let steps = worlds.step(&[1], &[&[30.0, 40.0]]).unwrap();
    let [x, y] = [steps[0].state.as_ref().unwrap()[0], steps[0].state.as_ref().unwrap()[1]];
    assert!((x - 11.8).abs() < 1e-5 && (y - 22.4).abs() < 1e-5, "{x} {y}");
    let still = worlds.step(&[1], &[&[f32::NAN, 1.0]]).unwrap();
    assert_eq!(still[0].state, steps[0].state, "what is not finite moves nothing");
    let goal = worlds.goal(1).unwrap();
    let [gx, gy] = [goal.state.as_ref().unwrap()[0], goal.state.as_ref().unwrap()[1]];
    assert!((steps[0].distance.unwrap() - f64::from((x - gx).hypot(y - gy))).abs() < 1e-4);
    assert_ne!(goal.observations.unwrap().cameras["pixels"], *frame);
    let large = worlds.render(1, &[], 3).unwrap();
    assert_eq!((large.height, large.width, large.data[..3].to_vec()), (144, 144, vec![0; 3]));
    assert_eq!(large.data[((22 * 3 + 1) * 144 + 12 * 3 + 1) * 3], 248);
    assert!(matches!(worlds.step(&[0], &[&[0.0, 0.0]]), Err(EnvError::Invalid { .. })), "it was not reset");
    assert!(matches!(worlds.reset(0, 1, Some(&[1.0])), Err(EnvError::Invalid { what: "state", .. })));
}

#[test]
fn rows_do_not_depend_on_each_other_and_one_is_an_environment() {
    let world = faulty("sound", "[variation]\nvary = [\"all\"]");
    let together = play(world.as_ref(), 4, 8).unwrap();
    assert_eq!(together, play(world.as_ref(), 4, 8).unwrap());
    let mut alone = world.environment(Purpose::Recording).unwrap();
    let first = alone.reset(2 + (1 << 40)).unwrap();
    assert_eq!(first, together[2][0]);
    assert_eq!((alone.position().map(|at| at.to_vec()), first.info["seen"][0]), (first.state.clone(), 0.0));
    assert!((0.0..=0.5).contains(&first.info["factor.friction"][0]));
    assert_ne!(together[0][0].info["factor.friction"], together[1][0].info["factor.friction"]);
    let next = alone.step(prevision_core::Action::Vector(&[0.0, -0.5])).unwrap();
    assert_eq!(next, together[2][1]);
    assert_eq!(alone.goal().unwrap().route.map(|route| route as f32), first.distance.map(|route| route as f32));
}

#[test]
fn a_worker_that_dies_is_started_again_and_nothing_is_lost() {
    let sound = play(faulty("sound", "").as_ref(), 3, 6).unwrap();
    for kind in ["die-reset", "die-step", "exit-step", "cut-step", "closed-step"] {
        let folder = tempfile::tempdir().unwrap();
        let once = folder.path().join("once");
        let keys = format!("restarts = 1\n[options]\nonce = {:?}", once.display().to_string());
        assert_eq!(play(faulty(kind, &keys).as_ref(), 3, 6).unwrap(), sound, "{kind}");
        assert!(once.exists(), "{kind}: it never showed");
    }
    // Without a file to remember it by, it dies each time.
    let error = play(faulty("die-step", "restarts = 1").as_ref(), 3, 6).unwrap_err();
    assert_eq!((fault(&error).fault, fault(&error).request), (Fault::Ended, "step"));
    let text = error.to_string();
    assert!(text.contains("cmd:dot 0.1") && text.contains("by signal 9") && text.contains("about to die"), "{text}");
    let error = play(faulty("exit-reset", "restarts = 0").as_ref(), 3, 6).unwrap_err();
    assert!(error.to_string().contains("with exit code 3"), "{error}");
}

#[test]
fn a_worker_may_be_killed_at_any_moment() {
    let sound = play(faulty("sound", "").as_ref(), 3, 12).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let keys = format!("restarts = 1000\n[options]\npid = {:?}", pid.display().to_string());
    let world = faulty("sound", &keys);
    // Between any two requests.
    let mut worlds = world.worlds(Purpose::Evaluation, 3).unwrap();
    let seen = play_in(worlds.as_mut(), 12, &mut |_| kill(&pid)).unwrap();
    assert_eq!(seen, sound);
    // And during them, and while it starts.
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (stop, pid) = (&stop, &pid);
        scope.spawn(move || {
            for place in 0..8_u64 {
                std::thread::sleep(Duration::from_millis(150 + 37 * place));
                kill(pid);
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            assert_eq!(play_in(worlds.as_mut(), 12, &mut |_| {}).unwrap(), sound);
        }
    });
}

fn pid(path: &Path) -> Option<Pid> {
    fs::read_to_string(path).ok()?.parse().ok().and_then(Pid::from_raw)
}

fn kill(path: &Path) {
    if let Some(pid) = pid(path) {
        // It may have gone already.
        let _ = kill_process(pid, Signal::KILL);
    }
}

#[test]
fn every_fault_has_a_name_and_nothing_hangs() {
    use Fault::{Ended, Late, NotFinite, Protocol, Refused, Unfit};
    let quick = "deadline_seconds = 1.0\nrestarts = 0";
    for (kind, expected, part) in [
        ("late-step", Late, "no answer within 1 s"),
        ("never-step", Late, "no answer within 1 s"),
        ("never-reset", Late, "at `reset`"),
        ("stopped-step", Late, "no answer"),
        ("closed-step", Ended, "closed its standard output"),
        ("cut-step", Ended, "with exit code 0"),
        ("huge-step", Protocol, "a header of 4294967295 bytes"),
        ("garbage-step", Protocol, "loading textures..."),
        ("json-step", Protocol, "no JSON object"),
        ("dtype-step", Protocol, "float64"),
        ("memory-step", Protocol, "more than 1073741824 bytes"),
        ("id-step", Protocol, "the id of its answer is 12345"),
        ("silent-step", Protocol, "the id of its answer is null"),
        ("refuse-step", Refused, "the door is locked"),
        ("not-finite", NotFinite, "array state has a number that is NaN"),
        ("infinite-reward", NotFinite, "array reward has a number that is inf"),
        ("spaces", Unfit, "array camera.pixels is uint8 [1, 16, 17, 3], but must be uint8 [1, 16, 16, 3]"),
        ("missing", Unfit, "array vector.speed is missing"),
        ("more", Unfit, "array vector.force (float32 [1, 3]) is none that belongs here"),
        ("version", Protocol, "protocol is 2, but must be 1"),
        ("name", Unfit, "missing field `name`"),
    ] {
        let began = Instant::now();
        let rows = 1 + usize::from(kind.ends_with("reset"));
        let played = play(faulty(kind, quick).as_ref(), rows, 6).map(|_| ());
        let error = played.expect_err(kind);
        let found = fault(&error);
        assert!(found.fault == expected && error.to_string().contains(part), "{kind}: {found:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{kind}: {:?}", began.elapsed());
    }
}

#[test]
fn signs_of_life_extend_the_deadline_and_a_flood_of_lines_is_let_pass() {
    let sound = play(faulty("sound", "").as_ref(), 1, 6).unwrap();
    // 1.6 s, with a sign of life every 0.2 s.
    assert_eq!(play(faulty("alive-step", "deadline_seconds = 1.0").as_ref(), 1, 6).unwrap(), sound);
    assert_eq!(play(faulty("flood-step", "").as_ref(), 1, 6).unwrap(), sound);
}

#[test]
fn a_fault_stays_and_a_refusal_does_not() {
    let mut worlds = faulty("not-finite", "").worlds(Purpose::Evaluation, 1).unwrap();
    let error = play_in(worlds.as_mut(), 6, &mut |_| {}).unwrap_err().to_string();
    assert_eq!(worlds.reset(0, 1, None).unwrap_err().to_string(), error);
    assert!(worlds.render(0, &[], 1).is_none_or(|frame| frame.width == 16));
    let mut worlds = faulty("refuse-step", "").worlds(Purpose::Evaluation, 1).unwrap();
    assert!(play_in(worlds.as_mut(), 6, &mut |_| {}).is_err());
    assert!(worlds.step(&[0], &[&[0.0, 0.0]]).is_ok());
}

#[test]
fn a_world_that_cannot_be_repeated_is_said_when_it_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let keys = format!("restarts = 9\n[options]\npid = {:?}", pid.display().to_string());
    let mut worlds = faulty("nondeterminism", &keys).worlds(Purpose::Evaluation, 2).unwrap();
    let error = play_in(worlds.as_mut(), 6, &mut |place| {
        if place == 5 {
            kill(&pid);
        }
    })
    .unwrap_err();
    assert_eq!(fault(&error).fault, Fault::Replay);
    assert!(error.to_string().contains("no function of seed and actions"), "{error}");
}

#[test]
fn nothing_of_a_process_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let [own, child] = ["pid", "child"].map(|name| folder.path().join(name));
    for kind in ["sound", "never-reset"] {
        let keys = format!("deadline_seconds = 0.5\n[options]\npid = {own:?}\nchild = {child:?}");
        let mut worlds = faulty(kind, &keys).worlds(Purpose::Recording, 2).unwrap();
        let [own_pid, child_pid] = [pid(&own).unwrap(), pid(&child).unwrap()];
        assert!(test_kill_process(own_pid).is_ok() && test_kill_process(child_pid).is_ok());
        assert_eq!(play_in(worlds.as_mut(), 2, &mut |_| {}).is_ok(), kind == "sound");
        drop(worlds);
        assert!(test_kill_process(own_pid).is_err(), "{kind}: it is not waited for");
        // Its child belongs to whoever adopts orphans now, and may stay as one that has ended.
        let state = || fs::read_to_string(format!("/proc/{}/stat", child_pid.as_raw_nonzero())).unwrap_or_default();
        let ended = || state().is_empty() || state().contains(") Z ");
        let began = Instant::now();
        while !ended() {
            assert!(began.elapsed() < Duration::from_secs(5), "{kind}: {}", state());
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::remove_file(&child).unwrap();
    }
}

#[test]
fn what_cannot_be_started_is_said() {
    let make = |name: &str, keys: &str| EnvConfig::of(name, keys.parse().unwrap()).world(&built_in());
    assert!(make("cmd:", "").err().unwrap().starts_with("env.cmd.target is \"\", but must be a command line"));
    assert!(make("cmd:python 'a", "").err().unwrap().contains("with every quote closed"));
    assert!(make("cmd:a", "deadline_seconds = 0.0").err().unwrap().contains("env.cmd.deadline_seconds is 0"));
    let start = |name: &str| make(name, "start_seconds = 5.0").unwrap().worlds(Purpose::Recording, 1).err().unwrap();
    assert!(start("cmd:/no/such/program --x").to_string().contains("`/no/such/program` cannot be started"));
    let error = start("cmd:sh -c 'echo out of memory >&2; exit 4'");
    assert!(error.to_string().contains("with exit code 4; its last lines:\n  out of memory"), "{error}");
    let error = faulty("sound", "[variation]\nvary = [\"colour\"]").worlds(Purpose::Recording, 1).err().unwrap();
    assert!(error.to_string().contains("env.cmd.variation.vary is `colour`"), "{error}");
}
