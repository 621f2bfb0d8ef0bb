//! What the environment says about the runtime.

use std::ffi::OsString;

use super::RuntimeError;
use crate::Level;

/// The environment variable that names a level: `portable`, `avx2`, `avx512`, `avx512-bf16` or `amx`.
pub const LEVEL_VARIABLE: &str = "PREVISION_LEVEL";

/// The environment variable that says how many threads there are, which is rayon's own.
pub(super) const THREADS_VARIABLE: &str = "RAYON_NUM_THREADS";

/// The level that the value of [`LEVEL_VARIABLE`] names; the highest without a value.
pub(super) fn level(value: Option<OsString>) -> Result<Level, RuntimeError> {
    let Some(value) = value else { return Ok(Level::highest()) };
    value.to_str().and_then(Level::named).ok_or_else(|| {
        let allowed: Vec<&str> = Level::available().into_iter().map(Level::name).collect();
        RuntimeError::Level { value: value.to_string_lossy().into(), allowed: allowed.join(", ") }
    })
}

/// The threads that the value of [`THREADS_VARIABLE`] asks for; one for each core without a value, or one that rayon
/// would not take.
pub(super) fn threads(value: Option<OsString>) -> usize {
    let asked = value.and_then(|value| value.to_str()?.parse().ok()).filter(|&threads| threads > 0);
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_forced_by_its_name() {
        assert_eq!(level(None).unwrap(), Level::highest());
        for available in Level::available() {
            assert_eq!(level(Some(available.name().into())).unwrap(), available);
        }
    }

    #[test]
    fn a_name_that_is_no_level_is_an_error_that_lists_them() {
        for value in ["avx9", "AVX2", ""] {
            let message = level(Some(value.into())).unwrap_err().to_string();
            let expected = format!("PREVISION_LEVEL is {value}, but must be a level of this processor: portable");
            assert!(message.starts_with(&expected), "{message}");
        }
        if Level::named("amx").is_none() {
            let message = level(Some("amx".into())).unwrap_err().to_string();
            assert!(
                message.starts_with("PREVISION_LEVEL is amx, but must be") && !message.ends_with("amx"),
                "{message}"
            );
        }
    }

    #[test]
    fn threads_are_as_many_as_asked_for() {
        assert_eq!(threads(Some("7".into())), 7);
        let cores = threads(None);
        assert!(cores >= 1);
        assert_eq!([threads(Some("0".into())), threads(Some("many".into()))], [cores; 2]);
    }
}
