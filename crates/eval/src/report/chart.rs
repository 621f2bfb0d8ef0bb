//! Line charts as small SVG drawings. Colours are CSS variables of the page, so a chart follows light and dark.

use std::fmt::Write;

use super::html::escape;
use crate::Series;
use crate::format::{grouped, number};

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 220.0;
/// Free space for labels: left, right, top, bottom.
const MARGIN: [f64; 4] = [52.0, 20.0, 12.0, 36.0];
/// Points drawn of a line, at most; longer ones are averaged.
const POINTS: usize = 240;

/// A chart of lines over one axis.
pub(super) struct LineChart<'a> {
    /// Heading.
    pub(super) title: &'a str,
    /// What x counts.
    pub(super) x: &'a str,
    /// The lines, each in a colour of its own.
    pub(super) series: &'a [Series],
    /// Whether points are marked, for few of them.
    pub(super) marks: bool,
    /// Whether y starts at 0; it is logarithmic, when that helps, if not.
    pub(super) from_zero: bool,
}

impl LineChart<'_> {
    /// The chart as a `figure`; nothing when no line has a point.
    pub(super) fn figure(&self) -> String {
        let all = || self.series.iter().flat_map(|series| &series.points);
        if all().next().is_none() {
            return String::new();
        }
        let bounds = |pick: fn(&(f64, f64)) -> f64| {
            all().map(pick).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (x_low, x_high) = bounds(|point| point.0);
        let (low, high) = bounds(|point| point.1);
        let log = !self.from_zero && low > 0.0 && high / low > 30.0;
        let y_axis =
            if log { Axis::log(low, high) } else { Axis::linear(if self.from_zero { 0.0 } else { low }, high) };
        let x_axis = Axis {
            low: x_low,
            high: if x_high > x_low { x_high } else { x_low + 1.0 },
            log: false,
            ticks: self.x_ticks(x_low, x_high),
        };
        let [left, right, top, bottom] = MARGIN;
        let x = |value: f64| left + x_axis.place(value) * (WIDTH - left - right);
        let y = |value: f64| HEIGHT - bottom - y_axis.place(value) * (HEIGHT - top - bottom);
        let mut svg = String::new();
        for &tick in &y_axis.ticks {
            let at = y(tick);
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
                tick_text(tick)
            );
        }
        let base = HEIGHT - bottom;
        let _ =
            write!(svg, "<line class=\"axis\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{base}\" y2=\"{base}\"/>", WIDTH - right);
        for &tick in &x_axis.ticks {
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x(tick),
                base + 16.0,
                tick_text(tick)
            );
        }
        let middle = f64::midpoint(left, WIDTH - right);
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 3.0,
            escape(self.x)
        );
        for (index, series) in self.series.iter().enumerate() {
            svg += &self.line(series, colour(index), x, y);
        }
        let legend = if self.series.len() > 1 { self.legend() } else { String::new() };
        let scale = if log { " <small>(log scale)</small>" } else { "" };
        let title = escape(self.title);
        format!(
            "<figure class=\"chart\"><figcaption>{title}{scale}</figcaption>{legend}\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">{svg}</svg></figure>"
        )
    }

    fn x_ticks(&self, low: f64, high: f64) -> Vec<f64> {
        if !self.marks {
            return linear_ticks(low, high, 4);
        }
        let mut ticks: Vec<f64> =
            self.series.iter().flat_map(|series| series.points.iter().map(|point| point.0)).collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        if ticks.len() > 8 { linear_ticks(low, high, 6) } else { ticks }
    }

    fn line(&self, series: &Series, colour: usize, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
        let points = thinned(&series.points);
        let mut path = String::new();
        for (i, point) in points.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if i == 0 { "M" } else { "L" }, x(point.0), y(point.1));
        }
        let mut svg = format!("<path class=\"line c{colour}\" d=\"{path}\"/>");
        let mark = |(at, value): &(f64, f64), radius: f64| {
            let label = format!("{}: {} at {} {}", escape(&series.name), number(*value), number(*at), escape(self.x));
            format!(
                "<circle class=\"mark c{colour}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\"><title>{label}</title></circle>",
                x(*at),
                y(*value)
            )
        };
        if self.marks {
            for point in &points {
                svg += &mark(point, 4.0);
            }
        } else if let Some(last) = points.last() {
            svg += &mark(last, 3.0);
        }
        svg
    }

    fn legend(&self) -> String {
        let entry = |(index, series): (usize, &Series)| {
            format!("<span><i class=\"key c{}\"></i>{}</span>", colour(index), escape(&series.name))
        };
        format!("<div class=\"legend\">{}</div>", self.series.iter().enumerate().map(entry).collect::<String>())
    }
}

/// The colour of a line by its place; there are three.
fn colour(index: usize) -> usize {
    1 + index % 3
}

struct Axis {
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// Extends the range to ticks, so that the outermost lines are labelled.
    fn linear(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + low.abs().max(1e-9) };
        let step = nice_step((high - low) / 4.0);
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        let ticks = (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect();
        Self { low: first * step, high: last * step, log: false, ticks }
    }

    fn log(low: f64, high: f64) -> Self {
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let stride = ((last - first) as usize).div_ceil(5).max(1);
        let ticks = (first..=last).rev().step_by(stride).map(|power| 10.0_f64.powi(power)).collect();
        Self { low: 10.0_f64.powi(first), high: 10.0_f64.powi(last), log: true, ticks }
    }

    /// Where a value lies, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
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
fn linear_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    if high <= low {
        return vec![low];
    }
    let step = nice_step((high - low) / count as f64);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    (0..=(last - first).max(0.0) as usize).map(|i| (first + i as f64) * step).collect()
}

fn tick_text(value: f64) -> String {
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

/// Averages neighbours of a long line.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let stride = points.len().div_ceil(POINTS);
    if stride <= 1 {
        return points.to_vec();
    }
    let mean = |chunk: &[(f64, f64)]| {
        let count = chunk.len() as f64;
        (chunk.iter().map(|point| point.0).sum::<f64>() / count, chunk.iter().map(|point| point.1).sum::<f64>() / count)
    };
    points.chunks(stride).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>, from_zero: bool) -> String {
        let series = [Series { name: "a<b".into(), points }];
        LineChart { title: "Title", x: "steps", series: &series, marks: true, from_zero }.figure()
    }

    #[test]
    fn points_are_placed_by_their_values() {
        let svg = chart(vec![(0.0, 0.0), (1.0, 2.0)], true);
        // The plot runs from (52, 184) to (380, 12), and y from 0 to 2.
        assert!(svg.contains("d=\"M52.0 184.0L380.0 12.0\""), "{svg}");
        assert!(svg.contains("a&lt;b: 2 at 1 steps"));
        assert!(!svg.contains("log scale"));
    }

    #[test]
    fn wide_ranges_are_logarithmic() {
        let svg = chart(vec![(0.0, 1000.0), (1.0, 1.0)], false);
        assert!(svg.contains("log scale") && svg.contains("d=\"M52.0 12.0L380.0 184.0\""), "{svg}");
    }

    #[test]
    fn empty_and_constant_lines_do_not_break() {
        assert_eq!(chart(vec![], true), "");
        let svg = chart(vec![(5.0, 3.0)], false) + &chart(vec![(5.0, 0.0), (6.0, 0.0)], true);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(linear_ticks(0.0, 1000.0, 4), [0.0, 500.0, 1000.0]);
        assert_eq!(linear_ticks(120.0, 900.0, 4), [200.0, 400.0, 600.0, 800.0]);
        assert_eq!(nice_step(0.03), 0.05);
        assert_eq!([tick_text(20_000.0), tick_text(-0.5), tick_text(2e6)], ["20k", "\u{2212}0.5", "2M"]);
    }

    #[test]
    fn long_lines_are_averaged() {
        let points: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let thin = thinned(&points);
        assert_eq!(thin.len(), 200);
        assert_eq!(thin[1], (7.0, 0.6));
        assert_eq!(thinned(&points[..240]), points[..240]);
    }
}
