//! The axes of a chart: ranges, ticks, and the grid that is drawn of them.

use std::fmt::Write;

use super::html::escape;
use crate::format::{grouped, number};

/// The size of a chart.
pub(super) const WIDTH: f64 = 400.0;
pub(super) const HEIGHT: f64 = 220.0;
/// Free space for labels: left, right, top, bottom.
const MARGIN: [f64; 4] = [52.0, 20.0, 12.0, 36.0];

/// Both axes.
pub(super) struct Axes {
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Axes {
    /// Where a value of x is drawn.
    pub(super) fn x(&self, value: f64) -> f64 {
        let [left, right, ..] = MARGIN;
        left + self.x.place(value) * (WIDTH - left - right)
    }

    /// Where a value of y is drawn.
    pub(super) fn y(&self, value: f64) -> f64 {
        let [.., top, bottom] = MARGIN;
        HEIGHT - bottom - self.y.place(value) * (HEIGHT - top - bottom)
    }

    /// Grid lines, labels of the ticks, and what x counts.
    pub(super) fn svg(&self, label: &str, y_text: fn(f64) -> String) -> String {
        let [left, right, _, bottom] = MARGIN;
        // Writing to a string cannot fail.
        let mut svg = String::new();
        for &tick in &self.y.ticks {
            let at = self.y(tick);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>",
                WIDTH - right
            );
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 7.0,
                at + 4.0,
                y_text(tick)
            );
        }
        let base = HEIGHT - bottom;
        let _ =
            write!(svg, "<line class=\"axis\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{base}\" y2=\"{base}\"/>", WIDTH - right);
        for &tick in &self.x.ticks {
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                self.x(tick),
                base + 16.0,
                tick_text(tick)
            );
        }
        let middle = f64::midpoint(left, WIDTH - right);
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 3.0,
            escape(label)
        );
        svg
    }
}

/// The range of one direction and where it is labelled.
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
    pub(super) ticks: Vec<f64>,
}

impl Axis {
    /// Extends the range to ticks, so that the outermost lines are labelled.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + low.abs().max(1e-9) };
        let step = nice_step((high - low) / 4.0);
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        let ticks = (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect();
        Self { low: first * step, high: last * step, log: false, ticks }
    }

    /// Whole powers of ten around a range above 0.
    pub(super) fn log(low: f64, high: f64) -> Self {
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let stride = ((last - first) as usize).div_ceil(5).max(1);
        let ticks = (first..=last).rev().step_by(stride).map(|power| 10.0_f64.powi(power)).collect();
        Self { low: 10.0_f64.powi(first), high: 10.0_f64.powi(last), log: true, ticks }
    }

    /// Where a value lies, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }
}

/// 1, 2 or 5 times a power of ten, not below the asked step.
fn nice_step(step: f64) -> f64 {
    let power = 10.0_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= step * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// Round numbers inside a range.
pub(super) fn linear_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    if high <= low {
        return vec![low];
    }
    let step = nice_step((high - low) / count as f64);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    (0..=(last - first).max(0.0) as usize).map(|i| (first + i as f64) * step).collect()
}

/// A number on an axis.
pub(super) fn tick_text(value: f64) -> String {
    let text = if value.abs() >= 1e6 {
        format!("{}M", number(value / 1e6))
    } else if value.abs() >= 10_000.0 {
        format!("{}k", number(value / 1e3))
    } else if value.abs() >= 1000.0 && value.fract() == 0.0 {
        grouped(value)
    } else {
        number(value)
    };
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(linear_ticks(0.0, 1000.0, 4), [0.0, 500.0, 1000.0]);
        assert_eq!(linear_ticks(120.0, 900.0, 4), [200.0, 400.0, 600.0, 800.0]);
        assert_eq!(nice_step(0.03), 0.05);
        assert_eq!([tick_text(20_000.0), tick_text(-0.5), tick_text(2e6)], ["20k", "\u{2212}0.5", "2M"]);
    }
}
