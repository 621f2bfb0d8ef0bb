//! Line charts as small SVG drawings. Colours are CSS variables of the page, so a chart follows light and dark.

use std::fmt::Write;

use super::axes::{Axes, Axis, HEIGHT, WIDTH, linear_ticks, tick_text};
use super::html::escape;
use crate::Series;
use crate::format::number;

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
    /// Thin lines behind them, that are not named.
    pub(super) faint: &'a [Series],
    /// Whether points are marked, for few of them.
    pub(super) marks: bool,
    /// Whether y starts at 0; it is logarithmic, when that helps, if not.
    pub(super) from_zero: bool,
}

impl LineChart<'_> {
    /// The chart as a `figure`; nothing when no line has a point.
    pub(super) fn figure(&self) -> String {
        let all = || self.series.iter().chain(self.faint).flat_map(|series| &series.points);
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
        let axes = Axes { x: x_axis, y: y_axis };
        let mut svg = axes.svg(self.x, tick_text);
        for series in self.faint {
            let _ = write!(svg, "<path class=\"line faint\" d=\"{}\"/>", path(&thinned(&series.points), &axes));
        }
        for (index, series) in self.series.iter().enumerate() {
            svg += &self.line(series, colour(index), &axes);
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

    fn line(&self, series: &Series, colour: usize, axes: &Axes) -> String {
        let points = thinned(&series.points);
        let mut svg = format!("<path class=\"line c{colour}\" d=\"{}\"/>", path(&points, axes));
        let mark = |(at, value): &(f64, f64), radius: f64| {
            let label = format!("{}: {} at {} {}", escape(&series.name), number(*value), number(*at), escape(self.x));
            format!(
                "<circle class=\"mark c{colour}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\"><title>{label}</title></circle>",
                axes.x(*at),
                axes.y(*value)
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

/// The way along points.
fn path(points: &[(f64, f64)], axes: &Axes) -> String {
    let step = |(i, point): (usize, &(f64, f64))| {
        format!("{}{:.1} {:.1}", if i == 0 { "M" } else { "L" }, axes.x(point.0), axes.y(point.1))
    };
    points.iter().enumerate().map(step).collect()
}

/// The colour of a line by its place; there are three.
fn colour(index: usize) -> usize {
    1 + index % 3
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
        LineChart { title: "Title", x: "steps", series: &series, faint: &[], marks: true, from_zero }.figure()
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
    fn long_lines_are_averaged() {
        let points: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let thin = thinned(&points);
        assert_eq!(thin.len(), 200);
        assert_eq!(thin[1], (7.0, 0.6));
        assert_eq!(thinned(&points[..240]), points[..240]);
    }
}
