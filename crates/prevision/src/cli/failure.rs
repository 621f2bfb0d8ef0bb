//! From an error to one message and an exit code.

use std::process::ExitCode;

use prevision_data::DataError;
use prevision_env::EnvError;
use prevision_eval::EvalError;
use prevision_kernels::RuntimeError;
use prevision_plan::PlanError;
use prevision_train::TrainError;

use crate::ExperimentError;

/// Something about the command line that clap cannot see.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Says what went wrong on standard error; 2 for a wrong command line or configuration, 1 for anything else.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    line(&message);
    ExitCode::from(if is_configuration(error) { 2 } else { 1 })
}

fn line(message: &str) {
    use std::io::Write as _;
    // Nowhere is left to report a failure of standard error.
    let _ = writeln!(std::io::stderr(), "error: {message}");
}

fn is_configuration(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Usage>()
            || matches!(cause.downcast_ref(), Some(ExperimentError::Invalid { .. }))
            || matches!(cause.downcast_ref(), Some(RuntimeError::Level { .. }))
            || matches!(cause.downcast_ref(), Some(TrainError::Experiment(_) | TrainError::Data(DataError::Config(_))))
            || matches!(cause.downcast_ref(), Some(DataError::Config(_)))
            || matches!(cause.downcast_ref(), Some(PlanError::Config(_) | PlanError::Unfit { .. }))
            || matches!(
                cause.downcast_ref(),
                Some(EnvError::UnknownPolicy { .. } | EnvError::InvalidOption { .. } | EnvError::Unsupported { .. })
            )
            || matches!(cause.downcast_ref(), Some(EvalError::Config(_)))
    })
}
