//! How plans were searched for.

use serde_json::Value;

use super::chart::LineChart;
use super::html::{figures, section};
use super::planned::label;
use super::run::Run;
use crate::Series;
use crate::format::number_at;

/// Of every planning result with traces: costs and spread over the iterations of the first plans.
pub(super) fn searches(run: &Run) -> String {
    let charts: String = run
        .traces
        .iter()
        .map(|(name, traces)| {
            let plan = run.plans.iter().find(|(known, _)| known == name).map(|(_, plan)| plan);
            charts(&plan.map_or_else(|| name.clone(), |plan| label(name, plan)), traces)
        })
        .collect();
    let note = "The first plan of each episode that was watched, iteration by iteration. Thin lines are episodes, thick ones their median. \
                Cost: the imagined cost of the best candidate, and the mean of the candidates that the next iteration starts from. \
                Spread: how far around these it looks, as a standard deviation in the unit of actions; near 0 the search has settled.";
    section("searches", "Searches", note, &figures(charts))
}

/// A search of a single iteration has no course to draw.
fn charts(name: &str, traces: &Value) -> String {
    let plans = first_plans(traces);
    let line = |key: &str| -> Vec<Series> {
        let series = |(episode, iterations): &(f64, &[Value])| {
            let points =
                iterations.iter().zip(1..).filter_map(|(it, at)| Some((f64::from(at), number_at(it, &[key])?)));
            Series { name: format!("episode {episode}"), points: points.collect() }
        };
        plans.iter().map(series).filter(|series| series.points.len() > 1).collect()
    };
    let [best, elites, spread] = ["best", "elites", "spread"].map(line);
    let middle = |name: &str, lines: &[Series]| Series { name: name.to_owned(), points: median(lines) };
    let costs = [middle("best", &best), middle("elites", &elites)];
    let spreads = [middle("spread", &spread)];
    let chart = |what: &str, series: &[Series], faint: &[Series]| {
        let title = format!("{name}: {what}");
        // Few iterations are marked, so that the ticks are theirs and not between them.
        let marks = series.iter().all(|series| series.points.len() <= 8);
        LineChart { title: &title, x: "iterations", series, faint, marks, from_zero: what == "spread" }.figure()
    };
    chart("cost", &costs, &best) + &chart("spread", &spreads, &spread)
}

/// The first plan of each episode: its number and its iterations.
fn first_plans(traces: &Value) -> Vec<(f64, &[Value])> {
    let mut plans: Vec<(f64, &[Value])> = Vec::new();
    for plan in traces.get("plans").and_then(Value::as_array).into_iter().flatten() {
        let (Some(episode), Some(iterations)) =
            (number_at(plan, &["episode"]), plan.get("iterations").and_then(Value::as_array))
        else {
            continue;
        };
        if plans.iter().all(|(known, _)| *known != episode) {
            plans.push((episode, iterations));
        }
    }
    plans
}

/// The median of lines at every x that all of them have.
fn median(lines: &[Series]) -> Vec<(f64, f64)> {
    let Some(first) = lines.first() else { return Vec::new() };
    let at = |x: f64| -> Option<(f64, f64)> {
        let value = |line: &Series| line.points.iter().find(|point| point.0 == x).map(|point| point.1);
        let mut values: Vec<f64> = lines.iter().map(value).collect::<Option<_>>()?;
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let even = values.len().is_multiple_of(2);
        Some((x, if even { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }))
    };
    first.points.iter().filter_map(|point| at(point.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(episode: usize, step: usize, costs: &[Option<f64>]) -> Value {
        let iteration =
            |cost: &Option<f64>| json!({"best": cost, "elites": cost.map(|cost| cost + 1.0), "spread": 0.5});
        json!({"episode": episode, "step": step, "iterations": costs.iter().map(iteration).collect::<Vec<_>>()})
    }

    #[test]
    fn only_the_first_plan_of_an_episode_counts() {
        let traces = json!({"plans": [plan(0, 0, &[Some(3.0)]), plan(2, 0, &[]), plan(0, 5, &[Some(9.0)])]});
        let plans = first_plans(&traces);
        assert_eq!(
            plans.iter().map(|(episode, iterations)| (*episode, iterations.len())).collect::<Vec<_>>(),
            [(0.0, 1), (2.0, 0)]
        );
    }

    #[test]
    fn the_median_is_of_all_lines() {
        let line = |values: &[f64]| Series {
            name: String::new(),
            points: values.iter().zip(1..).map(|(value, at)| (f64::from(at), *value)).collect(),
        };
        assert_eq!(median(&[line(&[5.0, 2.0, 1.0]), line(&[1.0, 4.0]), line(&[3.0, 9.0])]), [(1.0, 3.0), (2.0, 4.0)]);
        assert_eq!(median(&[line(&[5.0]), line(&[2.0])]), [(1.0, 3.5)]);
        assert!(median(&[]).is_empty());
    }

    #[test]
    fn what_has_no_course_is_not_drawn() {
        assert_eq!(charts("a", &json!({"plans": [plan(0, 0, &[Some(3.0)])]})), "");
        assert_eq!(charts("a", &json!({})), "");
        let html = charts("a<b", &json!({"plans": [plan(0, 0, &[Some(3.0), None, Some(1.0)])]}));
        assert!(html.contains("a&lt;b: cost") && html.contains("a&lt;b: spread"), "{html}");
        assert_eq!(html.matches("line faint").count(), 2);
        assert!(!html.contains("NaN"), "{html}");
    }
}
