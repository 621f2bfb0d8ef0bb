//! Range checks that name the key, what was given and what is allowed.

/// A configured number under its full key.
pub(crate) struct Checks<'a> {
    key: &'a str,
    value: f64,
}

/// Starts the checks of one number. Infinities and NaN fail every check.
pub(crate) fn check(key: &str, value: f64) -> Checks<'_> {
    Checks { key, value }
}

impl Checks<'_> {
    fn hold(self, holds: bool, allowed: &str) -> Result<Self, String> {
        if holds && self.value.is_finite() {
            Ok(self)
        } else {
            Err(format!("{} is {}, but must be {allowed}", self.key, self.value))
        }
    }

    pub(crate) fn above(self, bound: f64) -> Result<Self, String> {
        let holds = self.value > bound;
        self.hold(holds, &format!("a number above {bound}"))
    }

    pub(crate) fn below(self, bound: f64) -> Result<Self, String> {
        let holds = self.value < bound;
        self.hold(holds, &format!("a number below {bound}"))
    }

    pub(crate) fn at_least(self, bound: f64) -> Result<Self, String> {
        let holds = self.value >= bound;
        self.hold(holds, &format!("{bound} or more"))
    }

    pub(crate) fn at_most(self, bound: f64, what: &str) -> Result<Self, String> {
        let holds = self.value <= bound;
        self.hold(holds, &format!("{bound} ({what}) or less"))
    }

    pub(crate) fn within(self, low: f64, high: f64) -> Result<Self, String> {
        let holds = (low..=high).contains(&self.value);
        self.hold(holds, &format!("between {low} and {high}"))
    }
}
