//! Messages of configuration checks: the key, the value, what is allowed.

use std::fmt::Display;

/// `Ok` when `valid`, else a message naming key, value and what is allowed.
pub(crate) fn check(valid: bool, key: &str, value: impl Display, allowed: &str) -> Result<(), String> {
    if valid { Ok(()) } else { Err(format!("{key} = {value}: must be {allowed}")) }
}

/// A positive whole number.
pub(crate) fn positive(key: &str, value: usize) -> Result<(), String> {
    check(value > 0, key, value, "at least 1")
}

/// `value` is a positive multiple of `divisor` (which goes by the name `name`).
pub(crate) fn multiple_of(key: &str, value: usize, name: &str, divisor: usize) -> Result<(), String> {
    check(
        value > 0 && divisor > 0 && value.is_multiple_of(divisor),
        key,
        value,
        &format!("a positive multiple of {name} ({divisor})"),
    )
}

/// Puts `section.` in front of the key in the message of a nested configuration.
pub(crate) fn within(section: &str, result: Result<(), String>) -> Result<(), String> {
    result.map_err(|message| format!("{section}.{message}"))
}
