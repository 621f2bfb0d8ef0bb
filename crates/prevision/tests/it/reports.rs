//! Situations from public bug reports, where the shared data are there and Python is: `run.py` beside them says what must happen.

use std::path::Path;
use std::process::Command;

#[test]
fn situations_from_bug_reports_hold() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/reports"));
    let has_python = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !folder.join("run.py").exists() || !has_python {
        return;
    }
    let output = Command::new("python3")
        .args(["run.py", env!("CARGO_BIN_EXE_prevision"), "."])
        .current_dir(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
