//! Range checks that name the key, what was given and what is allowed. All messages of a configuration have this one form:
//! `KEY is VALUE, but must be ALLOWED`.

use std::fmt::Display;

/// A configured number under its key.
pub struct Checks<'a> {
    key: &'a str,
    value: f64,
}

/// Starts the checks of one number. Infinities and NaN fail every check.
pub fn check(key: &str, value: f64) -> Checks<'_> {
    Checks { key, value }
}

/// The message about a value that is not allowed.
pub fn message(key: &str, value: impl Display, allowed: impl Display) -> String {
    format!("{key} is {value}, but must be {allowed}")
}

/// Checks that `valid` holds of a value that is no number.
///
/// # Errors
/// The key, the value and what is allowed, if it does not.
pub fn ensure(valid: bool, key: &str, value: impl Display, allowed: impl Display) -> Result<(), String> {
    if valid { Ok(()) } else { Err(message(key, value, allowed)) }
}

/// Puts `section.` in front of the key in the message of a nested configuration.
///
/// # Errors
/// Those of `result`.
pub fn within<T>(section: &str, result: Result<T, String>) -> Result<T, String> {
    result.map_err(|message| format!("{section}.{message}"))
}

/// A count of 1 or more.
///
/// # Errors
/// The key, the value and what is allowed, if it is 0.
pub fn positive(key: &str, value: usize) -> Result<(), String> {
    ensure(value > 0, key, value, "1 or more")
}

/// A value that is a positive multiple of `divisor`, which goes by the name `name`.
///
/// # Errors
/// The key, the value and what is allowed, if it is not.
pub fn multiple_of(key: &str, value: usize, name: &str, divisor: usize) -> Result<(), String> {
    let valid = value > 0 && divisor > 0 && value.is_multiple_of(divisor);
    ensure(valid, key, value, format_args!("a positive multiple of {name} ({divisor})"))
}

impl Checks<'_> {
    fn hold(self, holds: bool, allowed: impl Display) -> Result<Self, String> {
        if holds && self.value.is_finite() { Ok(self) } else { Err(message(self.key, self.value, allowed)) }
    }

    /// Larger than `bound`.
    ///
    /// # Errors
    /// The key, the value and what is allowed, if it is not.
    pub fn above(self, bound: f64) -> Result<Self, String> {
        let holds = self.value > bound;
        self.hold(holds, format_args!("a number above {bound}"))
    }

    /// Smaller than `bound`.
    ///
    /// # Errors
    /// The key, the value and what is allowed, if it is not.
    pub fn below(self, bound: f64) -> Result<Self, String> {
        let holds = self.value < bound;
        self.hold(holds, format_args!("a number below {bound}"))
    }

    /// `bound` or more.
    ///
    /// # Errors
    /// The key, the value and what is allowed, if it is not.
    pub fn at_least(self, bound: f64) -> Result<Self, String> {
        let holds = self.value >= bound;
        self.hold(holds, format_args!("{bound} or more"))
    }

    /// `bound`, which goes by the name `what`, or less.
    ///
    /// # Errors
    /// The key, the value and what is allowed, if it is not.
    pub fn at_most(self, bound: f64, what: &str) -> Result<Self, String> {
        let holds = self.value <= bound;
        self.hold(holds, format_args!("{bound} ({what}) or less"))
    }

    /// From `low` to `high`, both allowed.
    ///
    /// # Errors
    /// The key, the value and what is allowed, if it is not.
    pub fn within(self, low: f64, high: f64) -> Result<Self, String> {
        let holds = (low..=high).contains(&self.value);
        self.hold(holds, format_args!("between {low} and {high}"))
    }

    /// Ends the checks.
    ///
    /// # Errors
    /// Never: for the end of a chain with `?`.
    pub fn done(self) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_key_value_and_what_is_allowed() {
        assert!(check("a.b", 3.0).above(2.0).and_then(|it| it.at_most(3.0, "a.c")).is_ok());
        let refused = |result: Result<Checks<'_>, String>| result.map(|_| ()).unwrap_err();
        assert_eq!(refused(check("a.b", 3.0).below(3.0)), "a.b is 3, but must be a number below 3");
        assert_eq!(refused(check("a.b", 3.0).at_most(2.0, "a.c")), "a.b is 3, but must be 2 (a.c) or less");
        assert_eq!(refused(check("lr", f64::NAN).at_least(0.0)), "lr is NaN, but must be 0 or more");
        assert_eq!(refused(check("lr", f64::INFINITY).at_least(0.0)), "lr is inf, but must be 0 or more");
        assert_eq!(
            within("model", multiple_of("width", 6, "heads", 4)).unwrap_err(),
            "model.width is 6, but must be a positive multiple of heads (4)"
        );
    }
}
