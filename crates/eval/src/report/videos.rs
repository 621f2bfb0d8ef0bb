//! The episode videos.

use std::fmt::Write;

use serde_json::Value;

use super::html::{escape, section};
use super::planned::distance;
use super::run::Run;
use crate::format::number_at;

/// The videos of a run, each with how its episode went in the planning result that was written last.
pub(super) fn videos(run: &Run) -> String {
    let plan = run.newest_plan.and_then(|newest| run.plans.get(newest)).map(|(_, plan)| plan);
    let mut figures = String::new();
    for video in &run.videos {
        let number = video.name.strip_prefix("episode-").and_then(|number| number.parse::<u64>().ok());
        let outcome = plan.zip(number).and_then(|(plan, number)| outcome(plan, number)).unwrap_or_default();
        let name = escape(&video.name.replace('-', " "));
        let medium = if video.video {
            format!("<video muted loop controls playsinline preload=\"metadata\" src=\"{}\"></video>", video.address)
        } else {
            format!("<img loading=\"lazy\" alt=\"{name}\" src=\"{}\">", video.address)
        };
        // Writing to a string cannot fail.
        let _ =
            write!(figures, "<figure class=\"video\">{medium}<figcaption><b>{name}</b>{outcome}</figcaption></figure>");
    }
    if figures.is_empty() && run.omitted.is_empty() {
        return String::new();
    }
    let note = if run.omitted.is_empty() {
        String::new()
    } else {
        format!("Too large for this page, in the folder videos: {}.", run.omitted.join(", "))
    };
    section("episodes", "Episodes", &note, &format!("<div class=\"videos\">{figures}</div>"))
}

/// How an episode went.
fn outcome(plan: &Value, number: u64) -> Option<String> {
    let mut episodes = plan.get("per_episode")?.as_array()?.iter();
    let episode = episodes.find(|episode| episode.get("episode").and_then(Value::as_u64) == Some(number))?;
    if episode.get("success").and_then(Value::as_bool) == Some(true) {
        let step = number_at(episode, &["first_success_step"]);
        let step = step.map_or_else(String::new, |step| format!(" after {} steps", crate::format::number(step)));
        return Some(format!("<span class=\"good\">\u{2713} arrived{step}</span>"));
    }
    let left = distance(plan, number_at(episode, &["final_distance"]));
    let left = left.map_or_else(String::new, |left| format!(", {} left", escape(&left)));
    Some(format!("<span class=\"bad\">\u{2717} not arrived{left}</span>"))
}
