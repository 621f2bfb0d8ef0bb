//! `prevision report`: one HTML page about a run.

use std::path::PathBuf;

use anyhow::Result;
use prevision_eval::report;
use prevision_train::RunFolder;

use crate::app::App;
use crate::cli::output::say;

/// Write one self-contained HTML page about each run: report.html in its folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    for root in &args.runs {
        let path = report::write(RunFolder::open(root)?.root(), &app.parts().suites)?;
        say(&path.display().to_string())?;
    }
    Ok(())
}
