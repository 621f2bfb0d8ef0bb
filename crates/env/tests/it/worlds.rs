//! Workers in Python, which the tests start.

use std::path::PathBuf;
use std::process::Command;

use prevision_env::registry::{EnvConfig, World, built_in};
use toml::Table;

/// A Python that has numpy: that of `PREVISION_PYTHON`, or the first that is found.
pub(crate) fn python() -> String {
    let chosen = std::env::var("PREVISION_PYTHON").ok();
    let candidates = chosen.into_iter().chain(["python3".to_owned(), "/usr/bin/python3".to_owned()]);
    let has_numpy = |python: &String| {
        Command::new(python).args(["-c", "import numpy"]).output().is_ok_and(|output| output.status.success())
    };
    let found = candidates.into_iter().find(has_numpy);
    found.expect("no Python with numpy: install python3-numpy, or set PREVISION_PYTHON to one that has it")
}

/// A file of this crate.
pub(crate) fn file(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name).display().to_string()
}

/// The world of a worker in Python with these arguments and keys.
pub(crate) fn world(script: &str, arguments: &str, keys: &str) -> Box<dyn World> {
    let name = format!("cmd:'{}' '{}' {arguments}", python(), file(script));
    let keys: Table = keys.parse().expect("keys");
    EnvConfig::of(&name, keys).world(&built_in()).expect("a world")
}

/// The world with a fault.
#[allow(dead_code, reason = "not every test has a fault")]
pub(crate) fn faulty(fault: &str, keys: &str) -> Box<dyn World> {
    world("tests/worlds/faulty.py", fault, keys)
}
