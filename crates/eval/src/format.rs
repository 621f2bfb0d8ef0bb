//! Numbers, times and names as people read them.

use serde_json::Value;

/// The finite number under a path of keys.
pub fn number_at(value: &Value, path: &[&str]) -> Option<f64> {
    let found = path.iter().try_fold(value, |value, key| value.get(key))?;
    found.as_f64().filter(|number| number.is_finite())
}

/// About three significant digits, without trailing zeros.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let text = if value == 0.0 {
        "0".to_owned()
    } else if size >= 100_000.0 {
        return grouped(value);
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else if size >= 1e-3 {
        let digits = (2 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.digits$}")
    } else {
        return format!("{value:.1e}").replace(".0e", "e");
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A whole number with a thin space between groups of three digits.
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("\u{2212}{text}") } else { text }
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value > 0.0 && value < 10.0 && value.fract() != 0.0 { format!("{value:.1} %") } else { format!("{value:.0} %") }
}

/// A length of time.
pub fn duration(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{} ms", number(seconds * 1000.0))
    } else if seconds < 120.0 {
        format!("{} s", number(seconds))
    } else if seconds < 7200.0 {
        format!("{} min", number(seconds / 60.0))
    } else {
        format!("{} h", number(seconds / 3600.0))
    }
}

/// An amount of memory.
pub fn bytes(count: f64) -> String {
    let (unit, scale) = if count >= 1e9 { ("GB", 1e9) } else { ("MB", 1e6) };
    format!("{} {unit}", number(count / scale))
}

/// A key such as `inverse_dynamics` or `my-suite` as words.
pub fn words(key: &str) -> String {
    key.replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.123_456_7, "0.123"),
            (0.01, "0.01"),
            (1.5, "1.5"),
            (12.34, "12.3"),
            (12345.6, "12346"),
            (-2.0, "-2"),
            (0.000_012_34, "1.2e-5"),
            (1_234_567.0, "1\u{202f}234\u{202f}567"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
        assert_eq!([percent(0.96), percent(0.055), percent(1.0)], ["96 %", "5.5 %", "100 %"]);
        assert_eq!(
            [duration(0.0123), duration(75.0), duration(600.0), duration(7300.0)],
            ["12.3 ms", "75 s", "10 min", "2.03 h"]
        );
        assert_eq!([bytes(2.5e9), bytes(3e8)], ["2.5 GB", "300 MB"]);
    }

    #[test]
    fn absent_numbers_are_absent() {
        let value = serde_json::json!({"a": {"b": 2, "c": null}});
        assert_eq!(number_at(&value, &["a", "b"]), Some(2.0));
        assert_eq!(number_at(&value, &["a", "c"]), None);
        assert_eq!(number_at(&value, &["x", "b"]), None);
        assert_eq!(number_at(&serde_json::json!(3), &[]), Some(3.0));
    }
}
