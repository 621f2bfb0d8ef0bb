//! Help texts.

use crate::support::{refused, run, stdout, succeed};

#[test]
fn every_verb_has_help_with_an_example_of_each_argument() {
    let verbs: &[&[&str]] = &[
        &["--help"],
        &["data", "--help"],
        &["data", "probe", "--help"],
        &["data", "frames", "--help"],
        &["data", "generate", "--help"],
        &["data", "films", "--help"],
        &["data", "prepare", "--help"],
        &["data", "bench", "--help"],
        &["train", "--help"],
        &["eval", "--help"],
        &["landscape", "--help"],
        &["probe", "--help"],
        &["surprise", "--help"],
        &["tasks", "--help"],
        &["plan", "--help"],
        &["memory", "--help"],
        &["levels", "--help"],
        &["distil", "--help"],
        &["import", "--help"],
        &["encode", "--help"],
        &["rollout", "--help"],
        &["export", "--help"],
        &["report", "--help"],
        &["demo", "--help"],
        &["bench", "--help"],
        &["env", "--help"],
        &["env", "list", "--help"],
        &["env", "show", "--help"],
        &["env", "check", "--help"],
        &["env", "bench", "--help"],
        &["schema", "--help"],
    ];
    for arguments in verbs {
        let help = stdout(&succeed(arguments));
        assert!(help.contains("Usage: prevision"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
    }
}

#[test]
fn the_first_help_names_every_verb() {
    let help = stdout(&succeed(&["--help"]));
    let verbs = [
        "data",
        "train",
        "eval",
        "landscape",
        "probe",
        "surprise",
        "tasks",
        "plan",
        "memory",
        "levels",
        "distil",
        "import",
        "encode",
        "rollout",
        "export",
        "report",
        "demo",
        "bench",
        "env",
        "schema",
    ];
    for verb in verbs {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{verb} "))), "{verb}: {help}");
    }
}

#[test]
fn the_first_help_names_every_part() {
    let help = stdout(&succeed(&["--help"]));
    for part in [
        "two-rooms",
        "cmd",
        "gym",
        "moving-mnist",
        "physics-films",
        "masked",
        "inverse_dynamics",
        "collapse",
        "icem",
        "reachability",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn a_wrong_verb_is_a_wrong_command_line() {
    let output = run(&["trian"]);
    assert_eq!(output.status.code(), Some(2));
    refused(&["train", "no-such-file.toml"], 1, &["no-such-file.toml"]);
}
