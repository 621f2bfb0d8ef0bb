//! Where `--json` writes.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use crate::support::{command, refused, stdout, succeed, text, video};

#[test]
fn places_that_cannot_be_written_are_named_before_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let film = folder.path().join("a.mp4");
    video(&film, 12, 0);
    fs::write(folder.path().join("file"), "").expect("a file");
    let below = folder.path().join("file/x.json");
    refused(&["data", "probe", text(&film), "--json", text(&below)], 2, &["file is no folder"]);
    refused(&["data", "probe", text(&film), "--json", text(folder.path())], 2, &["it is a folder"]);
    let made = folder.path().join("new/folder/x.json");
    succeed(&["data", "probe", text(&film), "--json", text(&made)]);
    let results: serde_json::Value = serde_json::from_slice(&fs::read(&made).expect("results")).expect("JSON");
    assert_eq!(results["videos"][0]["frames"], 12);
}

#[test]
fn links_and_pipes_stay_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let film = folder.path().join("a.mp4");
    video(&film, 12, 0);
    let (link, target) = (folder.path().join("link.json"), folder.path().join("target.json"));
    fs::write(&target, "old").expect("a file");
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    succeed(&["data", "probe", text(&film), "--json", text(&link)]);
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert!(fs::read_to_string(&target).expect("results").contains("\"frames\": 12"));
    // As with `--json >(program)`, the name leads to a pipe.
    let mut child = command(&["data", "probe", text(&film), "--json", "/dev/stderr"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert!(child.wait().expect("it ends").success(), "{said}");
    assert!(said.contains("\"frames\": 12"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn names_that_are_not_utf8_are_told() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let film = folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.mp4"));
    video(&film, 12, 0);
    let output = command(&["data", "probe", "--json", "-"]).arg(&film).output().expect("it starts");
    let results: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert!(results["videos"][0]["path"].as_str().expect("a path").ends_with("caf\u{fffd}.mp4"));
    let out = folder.path().join("prepared");
    for _ in 0..2 {
        let done = command(&["data", "prepare", "--short-side", "16", "--json", "-", "--out"])
            .arg(&out)
            .arg(&film)
            .output()
            .expect("it starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}
