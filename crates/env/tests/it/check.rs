//! Faults that are planted in a worker are found, and named.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::worlds::{faulty, world};
use prevision_env::check::{CheckOptions, Severity, check_world};
use prevision_env::registry::{EnvConfig, World, built_in};

/// The checks that found something, errors first.
fn found(world: &dyn World) -> Vec<(Severity, &'static str)> {
    let report =
        check_world(world, &CheckOptions { episodes: 8, steps: 24, rows: 3, ..CheckOptions::default() }).unwrap();
    report.findings.iter().map(|finding| (finding.severity, finding.check)).collect()
}

#[test]
fn planted_faults_are_found_and_named() {
    use Severity::{Error, Warning};
    let quick = "deadline_seconds = 1.0\nrestarts = 0";
    for (fault, severity, check) in [
        ("nondeterminism", Error, "nondeterminism"),
        ("history", Error, "history"),
        ("rows", Error, "rows"),
        ("seed-ignored", Error, "seed-ignored"),
        ("seed-truncated", Warning, "seed-truncated"),
        ("idle-actions", Error, "idle-actions"),
        ("frozen-images", Error, "frozen-images"),
        ("blank-images", Error, "blank-images"),
        ("frozen-state", Error, "frozen-state"),
        ("success-at-start", Error, "success-at-start"),
        ("no-success", Warning, "no-success"),
        ("goal-is-start", Error, "goal-is-start"),
        ("no-reward", Warning, "no-reward"),
        ("state-not-restored", Error, "state-not-restored"),
        ("goes-on", Error, "goes-on"),
        ("not-finite", Error, "not-finite"),
        ("spaces", Error, "spaces"),
        ("die-step", Error, "crash"),
        ("never-step", Error, "deadline"),
        ("garbage-step", Error, "protocol"),
        ("refuse-step", Error, "failure"),
    ] {
        let found = found(faulty(fault, quick).as_ref());
        assert!(found.contains(&(severity, check)), "{fault}: {found:?}");
        let more = found.iter().filter(|(severity, name)| *severity == Error && *name != check);
        // A state that stands still is no other after a reset; a goal at the start looks like it.
        let follows = [("frozen-state", "state-not-restored"), ("success-at-start", "goal-is-start")];
        let allowed = |name: &'static str| follows.contains(&(fault, name));
        assert_eq!(more.filter(|(_, name)| !allowed(name)).count(), 0, "{fault}: {found:?}");
    }
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(faulty("sound", "").as_ref()), []);
    let dot = found(world("python/my_world.py", "--size 32", "").as_ref());
    assert!(dot.iter().all(|(severity, check)| *severity == Severity::Warning && *check == "no-success"), "{dot:?}");
    let two_rooms = EnvConfig::default().world(&built_in()).unwrap();
    assert_eq!(found(two_rooms.as_ref()), [(Severity::Warning, "no-success")], "goals are too far for 24 random steps");
}

#[test]
fn a_world_that_does_not_start_is_a_finding_and_a_wrong_option_an_error() {
    let missing = EnvConfig::of("cmd:/no/such/program", toml::Table::new()).world(&built_in()).unwrap();
    assert_eq!(found(missing.as_ref()), [(Severity::Error, "start")]);
    let error = check_world(missing.as_ref(), &CheckOptions { rows: 1, ..CheckOptions::default() }).unwrap_err();
    assert_eq!(error.to_string(), "rows is 1, but must be 2 or more");
}
