//! Planners beside each other: how often they arrive, and what it takes.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::axes::{Axes, Axis, HEIGHT, WIDTH};
use super::html::{escape, figures};
use super::planned::rate;
use crate::format::{number, number_at, percent};

/// About how wide a letter of a label is.
const LETTER: f64 = 5.8;
/// How far labels are apart from each other at least.
const LINE: f64 = 12.0;

/// A planning result as a point.
struct Point {
    name: String,
    operations: f64,
    share: f64,
    interval: [f64; 2],
}

/// For each world that several results are of, their success rates over the operations that they took; nothing without such a world.
pub(super) fn comparison(plans: &[(String, Value)]) -> String {
    let mut worlds: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
    for (name, plan) in plans {
        let Some((share, interval)) = rate(plan, "success_rate", "interval") else { continue };
        let Some(operations) = number_at(plan, &["operations_per_episode"]).filter(|count| *count > 0.0) else {
            continue;
        };
        let text = |key: &str| plan.get(key).and_then(Value::as_str);
        let point =
            Point { name: short(text("policy").or(text("solver")).unwrap_or(name)), operations, share, interval };
        worlds.entry(text("environment").unwrap_or_default()).or_default().push(point);
    }
    figures(
        worlds
            .into_iter()
            .filter(|(_, points)| points.len() > 1)
            .map(|(world, points)| figure(world, points))
            .collect(),
    )
}

/// The name of a policy; that it is a planner goes without saying where its solver is named.
fn short(policy: &str) -> String {
    policy.replace("planner/", "")
}

fn figure(world: &str, mut points: Vec<Point>) -> String {
    points.sort_by(|a, b| a.operations.total_cmp(&b.operations));
    let (unit, scale) = unit(points.last().map_or(1.0, |point| point.operations));
    for point in &mut points {
        point.operations /= scale;
    }
    let (low, high) = (points[0].operations, points[points.len() - 1].operations);
    // Room on both sides of the points.
    let x = if high / low > 5.0 { Axis::log(low * 0.8, high * 1.25) } else { Axis::linear(0.0, high * 1.1) };
    let log = if x.log { ", log scale" } else { "" };
    let y = Axis { low: 0.0, high: 1.0, log: false, ticks: vec![0.0, 0.25, 0.5, 0.75, 1.0] };
    let axes = Axes { x, y };
    let mut svg = axes.svg(&format!("{unit} of planning per episode{log}"), percent);
    let mut labels: Vec<[f64; 3]> = Vec::new();
    for point in &points {
        let [low, high] = point.interval.map(|share| axes.y(share));
        let (x, y, name) = (axes.x(point.operations), axes.y(point.share), escape(&point.name));
        let label = place(x, y, LETTER * point.name.chars().count() as f64, &labels);
        labels.push(label);
        let about = format!(
            "{name}: {} (95 % interval {} to {}), {} {unit} per episode",
            percent(point.share),
            percent(point.interval[0]),
            percent(point.interval[1]),
            number(point.operations)
        );
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<line class=\"bar\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{low:.1}\" y2=\"{high:.1}\"/>\
             <circle class=\"mark c1\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"><title>{about}</title></circle>\
             <text class=\"label\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
            label[0],
            label[2] + 4.0
        );
    }
    let title = escape(&format!("Success over operations: {world}"));
    format!(
        "<figure class=\"chart\"><figcaption>{title} <small>(bars: 95 % interval)</small></figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">{svg}</svg></figure>"
    )
}

/// Where a label of this width is drawn beside a point, from x to x at y: on the side with more room, and clear of those that are there.
fn place(x: f64, y: f64, width: f64, others: &[[f64; 3]]) -> [f64; 3] {
    let from = if x + 9.0 + width < WIDTH { x + 9.0 } else { x - 9.0 - width };
    let free = |at: f64| {
        let meets = |other: &[f64; 3]| from < other[1] && other[0] < from + width && (at - other[2]).abs() < LINE;
        (8.0..HEIGHT - 44.0).contains(&at) && !others.iter().any(meets)
    };
    let at = (0..20)
        .flat_map(|step| [f64::from(step), -f64::from(step)])
        .map(|step| y + step * LINE / 2.0)
        .find(|at| free(*at));
    [from, from + width, at.unwrap_or(y)]
}

/// The unit that reads well at this size.
fn unit(operations: f64) -> (&'static str, f64) {
    match operations {
        1e12.. => ("TFLOP", 1e12),
        1e9.. => ("GFLOP", 1e9),
        _ => ("MFLOP", 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(world: &str, policy: &str, operations: f64, share: f64) -> (String, Value) {
        let interval = [share - 0.1, share + 0.1];
        let plan = json!({"environment": world, "policy": policy, "success_rate": share, "interval": interval, "operations_per_episode": operations});
        (format!("{world}-{policy}"), plan)
    }

    #[test]
    fn planners_of_one_world_are_compared() {
        let html = comparison(&[
            plan("maze", "planner/cem", 4e12, 0.5),
            plan("maze", "remembering/planner/icem", 2e12, 0.75),
            plan("rooms", "planner/cem", 4e12, 0.5),
        ]);
        assert_eq!(html.matches("<figure").count(), 1, "{html}");
        assert!(
            html.contains("Success over operations: maze") && html.contains("TFLOP of planning per episode"),
            "{html}"
        );
        assert!(html.contains(">remembering/icem</text>") && html.contains(">cem</text>"), "{html}");
        // From 0 to 6 TFLOP over 328 units from 52 on; 75 % at a quarter of the height of 172 below 12.
        assert!(html.contains("cx=\"161.3\" cy=\"55.0\"") && html.contains("cx=\"270.7\" cy=\"98.0\""), "{html}");
        assert!(html.contains("y1=\"72.2\" y2=\"37.8\""), "{html}");
    }

    #[test]
    fn one_alone_is_not_compared() {
        let without = ("a".to_owned(), json!({"success_rate": 0.5, "interval": [0.4, 0.6]}));
        assert_eq!(comparison(&[plan("maze", "planner/cem", 4e12, 0.5), without]), "");
        assert_eq!(comparison(&[]), "");
    }

    #[test]
    fn labels_keep_clear_of_each_other_and_of_the_edge() {
        let first = place(100.0, 50.0, 40.0, &[]);
        assert_eq!(first, [109.0, 149.0, 50.0]);
        let second = place(102.0, 52.0, 40.0, &[first]);
        assert!((second[2] - 50.0).abs() >= LINE, "{second:?}");
        assert_eq!(place(390.0, 50.0, 40.0, &[]), [341.0, 381.0, 50.0]);
    }
}
