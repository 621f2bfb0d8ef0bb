//! What planning came to: success rates with their intervals, and the films.

use std::fmt::Write;

use serde_json::Value;

use super::format::{duration, escape, number, number_at, percent};
use super::page::section;
use super::run::Run;

/// A rate with its interval.
pub(super) fn rate(plan: &Value, rate: &str, interval: &str) -> Option<(f64, [f64; 2])> {
    let bound = |index: usize| plan.get(interval)?.get(index)?.as_f64();
    Some((number_at(plan, &[rate])?, [bound(0)?, bound(1)?]))
}

/// The planning results, one row a file, and the films of the newest.
pub(super) fn plans(run: &Run) -> String {
    let mut rows = String::new();
    for (name, plan) in &run.plans {
        let at = |path: &[&str]| number_at(plan, path);
        let text = |key: &str| plan.get(key).and_then(Value::as_str).unwrap_or_default();
        let label = match (text("environment"), text("solver")) {
            ("", "") => escape(name),
            (environment, solver) => format!("{}, {}", escape(environment), escape(solver)),
        };
        let cell = |value: Option<String>| value.unwrap_or_else(|| "\u{2013}".to_owned());
        let trials =
            at(&["successes"]).zip(at(&["episodes"])).map(|(hit, of)| format!("{} of {}", number(hit), number(of)));
        let arrived = rate(plan, "success_rate", "interval");
        let range = |(share, [low, high]): (f64, [f64; 2])| {
            format!("{} <small>{} to {}</small>", percent(share), percent(low), percent(high))
        };
        let end = rate(plan, "success_rate_at_end", "interval_at_end").map(range);
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{label}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            cell(arrived.map(range)),
            arrived.map_or_else(String::new, whisker),
            cell(trials),
            cell(end.or_else(|| at(&["success_rate_at_end"]).map(percent))),
            cell(at(&["final_distance", "median"]).map(|px| format!("{} px", number(px)))),
            cell(at(&["seconds_per_plan"]).map(duration)),
        );
    }
    if !rows.is_empty() {
        rows = format!(
            "<div class=\"scroll\"><table><thead><tr><th>World, solver</th><th>Arrived, 95 % interval</th><th>0 to 100 %</th><th>Episodes</th>\
             <th>At the goal at the end</th><th>Median distance left</th><th>Time per plan</th></tr></thead><tbody>{rows}</tbody></table></div>"
        );
    }
    let excluded: f64 = run.plans.iter().filter_map(|(_, plan)| number_at(plan, &["excluded_solved_at_start"])).sum();
    let note = if excluded > 0.0 {
        format!("Closed-loop episodes. {} that were solved at the start are excluded.", number(excluded))
    } else {
        "Closed-loop episodes.".to_owned()
    };
    section("plan", "Planning", &note, &rows)
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

/// The embedded films.
pub(super) fn films(run: &Run) -> String {
    let episodes = run
        .newest_plan
        .and_then(|newest| run.plans.get(newest))
        .and_then(|(_, plan)| plan.get("per_episode")?.as_array());
    let mut figures = String::new();
    for film in &run.videos {
        let outcome =
            film.name.strip_prefix("episode-").and_then(|number| number.parse::<u64>().ok()).and_then(|number| {
                episodes?
                    .iter()
                    .find(|episode| episode.get("episode").and_then(Value::as_u64) == Some(number))
                    .map(outcome)
            });
        let name = escape(&film.name.replace('-', " "));
        let medium = if film.video {
            format!("<video muted loop controls playsinline preload=\"metadata\" src=\"{}\"></video>", film.address)
        } else {
            format!("<img loading=\"lazy\" alt=\"{name}\" src=\"{}\">", film.address)
        };
        let outcome = outcome.unwrap_or_default();
        let _ =
            write!(figures, "<figure class=\"film\">{medium}<figcaption><b>{name}</b>{outcome}</figcaption></figure>");
    }
    if figures.is_empty() && run.omitted.is_empty() {
        return String::new();
    }
    let note = if run.omitted.is_empty() {
        String::new()
    } else {
        format!("Too large for this page, in the folder videos: {}.", escape(&run.omitted.join(", ")))
    };
    section("films", "Episodes", &note, &format!("<div class=\"films\">{figures}</div>"))
}

/// How an episode went.
fn outcome(episode: &Value) -> String {
    let at = |key: &str| number_at(episode, &[key]);
    if episode.get("success").and_then(Value::as_bool) == Some(true) {
        let step = at("first_success_step").map_or_else(String::new, |step| format!(" after {} steps", number(step)));
        return format!("<span class=\"good\">\u{2713} arrived{step}</span>");
    }
    let left = at("final_distance").map_or_else(String::new, |px| format!(", {} px left", number(px)));
    format!("<span class=\"bad\">\u{2717} not arrived{left}</span>")
}
