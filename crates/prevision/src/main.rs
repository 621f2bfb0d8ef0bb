//! The `prevision` binary: the application with the built-in parts.

use std::process::ExitCode;

fn main() -> ExitCode {
    prevision::App::new().run(std::env::args_os())
}
