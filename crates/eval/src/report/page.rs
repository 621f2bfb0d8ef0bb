//! The page: head, headline numbers, sections.

use serde_json::Value;

use super::format::{bytes, duration, escape, grouped, number, number_at, percent};
use super::learning::curves;
use super::measured::{evaluations, rollout_ratio};
use super::planned::{films, plans, rate};
use super::run::Run;

/// Everything that decides how the page looks.
const STYLE: &str = include_str!("style.css");

/// The whole document.
pub(super) fn page(run: &Run) -> String {
    let name = escape(&run.name);
    let body = [headline(run), plans(run), films(run), evaluations(run), curves(run), configuration(run)].concat();
    let body =
        if body.is_empty() { "<p class=\"note\">This run folder holds no results yet.</p>".to_owned() } else { body };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{name} \u{2013} prevision</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header><p>prevision run</p><h1>{name}</h1></header>\n\
         <main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// A section with a heading and a sentence; nothing when it has no body.
pub(super) fn section(id: &str, title: &str, note: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{note}</p>") };
    format!("<section id=\"{}\"><h2>{}</h2>{note}{body}</section>\n", escape(id), escape(title))
}

/// One number with its name and a remark.
pub(super) fn tile(name: &str, value: &str, remark: &str) -> String {
    format!("<div class=\"tile\"><span>{name}</span><strong>{value}</strong><small>{remark}</small></div>")
}

/// A table of numbers; nothing when it has no rows.
pub(super) fn table(caption: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads = heads.join("</th><th scope=\"col\">");
    let rows: Vec<String> = rows.iter().map(|cells| cells.join("</td><td>")).collect();
    let rows = rows.join("</td></tr><tr><td>");
    format!(
        "<div class=\"scroll\"><table><caption>{caption}</caption><thead><tr><th scope=\"col\">{heads}</th></tr></thead>\
         <tbody><tr><td>{rows}</td></tr></tbody></table></div>"
    )
}

/// The numbers that a reader wants first.
fn headline(run: &Run) -> String {
    let mut tiles = String::new();
    if let Some((_, plan)) = run.newest_plan.and_then(|newest| run.plans.get(newest))
        && let Some((share, [low, high])) = rate(plan, "success_rate", "interval")
    {
        let trials = number_at(plan, &["episodes"]).map_or_else(String::new, |n| format!(", {} episodes", number(n)));
        let remark = format!("95 % interval {} to {}{trials}", percent(low), percent(high));
        tiles += &tile("Planning success", &percent(share), &remark);
    }
    if let Some((_, eval)) = run.evals.last() {
        if let Some((horizon, ratio)) = rollout_ratio(eval) {
            let remark = format!("of the copy baseline\u{2019}s, {} steps ahead", number(horizon));
            tiles += &tile("Latent error", &percent(ratio), &remark);
        }
        if let Some(error) = number_at(eval, &["probe", "position_px"]) {
            tiles += &tile("Position error", &format!("{} px", number(error)), "probe on frozen latents");
        }
    }
    if let Some(train) = &run.train {
        tiles += &training_tiles(train);
    }
    if tiles.is_empty() { tiles } else { format!("<section class=\"tiles headline\">{tiles}</section>\n") }
}

fn training_tiles(train: &Value) -> String {
    let at = |key: &str| number_at(train, &[key]);
    let mut tiles = String::new();
    if let Some(loss) = number_at(train, &["final_loss", "total"]) {
        tiles += &tile(
            "Final loss",
            &number(loss),
            &at("steps").map_or_else(String::new, |steps| format!("after {} steps", grouped(steps))),
        );
    }
    if let Some(seconds) = at("seconds") {
        let remark = at("frames").map_or_else(String::new, |frames| format!("{} frames", grouped(frames)));
        tiles += &tile("Training time", &duration(seconds), &remark);
    }
    if let Some(rate) = at("frames_per_second") {
        let remark = at("peak_memory_bytes").map_or_else(String::new, |count| format!("peak memory {}", bytes(count)));
        tiles += &tile("Frames per second", &grouped(rate), &remark);
    }
    let skipped = train.get("skipped_files").and_then(Value::as_array).map_or(0, Vec::len);
    if skipped > 0 {
        tiles += &tile("Skipped files", &skipped.to_string(), "named in summary.json");
    }
    tiles
}

fn configuration(run: &Run) -> String {
    let body = run.config.as_ref().map_or_else(String::new, |config| format!("<pre>{}</pre>", escape(config.trim())));
    section("configuration", "Configuration", "Resolved, with every default: this file repeats the run.", &body)
}
