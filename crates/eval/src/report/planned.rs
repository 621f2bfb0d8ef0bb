//! What planning came to: success rates with their intervals.

use serde_json::Value;

use super::compared::comparison;
use super::html::{escape, section};
use super::run::Run;
use crate::format::{duration, number, number_at, percent};

/// A rate with its interval.
pub(super) fn rate(plan: &Value, rate: &str, interval: &str) -> Option<(f64, [f64; 2])> {
    let bound = |index: usize| plan.get(interval)?.get(index)?.as_f64();
    Some((number_at(plan, &[rate])?, [bound(0)?, bound(1)?]))
}

/// A distance in its unit, if the world has one.
pub(super) fn distance(plan: &Value, value: Option<f64>) -> Option<String> {
    let unit = plan.get("unit").and_then(Value::as_str)?;
    value.map(|value| format!("{} {unit}", number(value)).trim_end().to_owned())
}

/// What a column of the table says of a result; `None` where it says nothing.
type Cell = fn(&Value) -> Option<String>;

/// The columns after the name: heading, cell as HTML, and whether it stands there even if it says nothing of any result.
const COLUMNS: [(&str, Cell, bool); 8] = [
    ("Arrived, 95 % interval", |plan| rate(plan, "success_rate", "interval").map(range), true),
    ("0 to 100 %", |plan| rate(plan, "success_rate", "interval").map(whisker), true),
    ("Episodes", trials, true),
    ("At the goal at the end", at_the_end, true),
    (
        "Median distance left",
        |plan| distance(plan, number_at(plan, &["final_distance", "median"])).as_deref().map(escape),
        false,
    ),
    ("Steps that violated constraints", |plan| violations(plan).as_deref().map(escape), false),
    ("Mean return", |plan| number_at(plan, &["return"]).map(number), false),
    ("Time per plan", |plan| number_at(plan, &["seconds_per_plan"]).map(duration), true),
];

/// The planning results, one row a file.
pub(super) fn plans(run: &Run) -> String {
    let excluded: f64 = run.plans.iter().filter_map(|(_, plan)| number_at(plan, &["excluded_solved_at_start"])).sum();
    let note = if excluded > 0.0 {
        format!("Closed-loop episodes. {} that were solved at the start are excluded.", number(excluded))
    } else {
        "Closed-loop episodes.".to_owned()
    };
    section("plan", "Planning", &note, &(table(&run.plans) + &comparison(&run.plans)))
}

fn table(plans: &[(String, Value)]) -> String {
    if plans.is_empty() {
        return String::new();
    }
    let says = |cell: Cell| plans.iter().any(|(_, plan)| cell(plan).is_some());
    let columns: Vec<(&str, Cell)> = COLUMNS
        .iter()
        .filter(|(_, cell, always)| *always || says(*cell))
        .map(|(head, cell, _)| (*head, *cell))
        .collect();
    let heads: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
    let heads = heads.join("</th><th>");
    let row = |(name, plan): &(String, Value)| {
        let cell = |(_, cell): &(&str, Cell)| cell(plan).unwrap_or_else(|| "\u{2013}".to_owned());
        let cells: Vec<String> = columns.iter().map(cell).collect();
        let (label, cells) = (escape(&label(name, plan)), cells.join("</td><td>"));
        format!("<tr><th scope=\"row\">{label}</th><td>{cells}</td></tr>")
    };
    let rows: String = plans.iter().map(row).collect();
    format!(
        "<div class=\"scroll\"><table><thead><tr><th>World, policy</th><th>{heads}</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

/// The world and who acted in it: a planner with its solver, or another policy.
pub(super) fn label(name: &str, plan: &Value) -> String {
    let text = |key: &str| plan.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("environment"), text("policy"), text("solver")) {
        ("", "", "") => name.to_owned(),
        (environment, "", only) | (environment, only, "") => format!("{environment}, {only}"),
        (environment, policy, solver) if policy.rsplit('/').next() == Some(solver) => {
            format!("{environment}, {policy}")
        }
        (environment, policy, solver) => format!("{environment}, {policy} ({solver})"),
    }
}

fn range((share, [low, high]): (f64, [f64; 2])) -> String {
    format!("{} <small>{} to {}</small>", percent(share), percent(low), percent(high))
}

fn trials(plan: &Value) -> Option<String> {
    let (hits, trials) = (number_at(plan, &["successes"])?, number_at(plan, &["episodes"])?);
    Some(format!("{} of {}", number(hits), number(trials)))
}

/// How often what really happened violated each constraint that judges it.
fn violations(plan: &Value) -> Option<String> {
    let one = |(name, found): (&String, &Value)| {
        let enforced = found.get("enforced").and_then(Value::as_bool)?;
        let judged = if enforced { "" } else { " (not enforced)" };
        Some(format!("{name}{judged} {}", number(number_at(found, &["steps"])?)))
    };
    let all: Vec<String> = plan.get("violations")?.as_object()?.iter().filter_map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn at_the_end(plan: &Value) -> Option<String> {
    let end = rate(plan, "success_rate_at_end", "interval_at_end").map(range);
    end.or_else(|| number_at(plan, &["success_rate_at_end"]).map(percent))
}

/// The interval as a bar on a track from 0 to 100 %, with a dot at the rate.
fn whisker((share, [low, high]): (f64, [f64; 2])) -> String {
    let x = |share: f64| 6.0 + 148.0 * share.clamp(0.0, 1.0);
    format!(
        "<svg class=\"whisker\" viewBox=\"0 0 160 20\" role=\"img\" aria-label=\"{rate}, 95 % interval {from} to {to}\">\
         <line class=\"track\" x1=\"6\" x2=\"154\" y1=\"10\" y2=\"10\"/><line class=\"range\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"10\" y2=\"10\"/>\
         <circle class=\"mark c1\" cx=\"{:.1}\" cy=\"10\" r=\"5\"/></svg>",
        x(low),
        x(high),
        x(share),
        rate = percent(share),
        from = percent(low),
        to = percent(high),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_without_a_word_are_left_out() {
        let plain = json!({"environment": "line", "solver": "cem", "successes": 3, "episodes": 4, "final_distance": {"median": 2.0}});
        let html = table(&[("a".to_owned(), plain.clone())]);
        assert!(!html.contains("distance") && !html.contains("return") && html.contains("3 of 4"), "{html}");
        let metres = json!({"environment": "reach", "unit": "<m>", "return": 1.5, "final_distance": {"median": 0.25}});
        let html = table(&[("a".to_owned(), plain), ("b".to_owned(), metres)]);
        assert!(html.contains("<td>0.25 &lt;m&gt;</td><td>1.5</td>"), "{html}");
        assert!(html.contains("<td>\u{2013}</td><td>\u{2013}</td><td>\u{2013}</td></tr>"), "{html}");
    }

    #[test]
    fn violations_stand_by_name() {
        let found = json!({"keep-out": {"enforced": true, "steps": 12, "episodes": 2}, "speed": {"enforced": false, "steps": 0}});
        let plan = json!({"environment": "line", "solver": "cem", "violations": found});
        let html = table(&[("a".to_owned(), plan)]);
        assert!(html.contains("<td>keep-out 12, speed (not enforced) 0</td>"), "{html}");
    }

    #[test]
    fn a_row_is_named_by_who_acted() {
        let of = |policy: &str, solver: &str| {
            let mut plan = json!({"environment": "line"});
            for (key, value) in [("policy", policy), ("solver", solver)] {
                if !value.is_empty() {
                    plan[key] = value.into();
                }
            }
            label("file", &plan)
        };
        assert_eq!(of("planner", "mppi"), "line, planner (mppi)");
        assert_eq!(of("random", "random"), "line, random");
        assert_eq!(of("remembering/planner/cem", "cem"), "line, remembering/planner/cem");
        assert_eq!(of("", "cem"), "line, cem");
        assert_eq!(of("expert", ""), "line, expert");
        assert_eq!(label("file", &json!({})), "file");
    }
}
