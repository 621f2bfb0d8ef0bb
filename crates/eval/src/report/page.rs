//! The page: head, headline numbers, sections.

use serde_json::Value;

use super::html::{escape, section, tile_row};
use super::learning::curves;
use super::levels::levels;
use super::measured::{self, evaluations};
use super::planned::{plans, rate};
use super::run::Run;
use super::searched::searches;
use super::videos::videos;
use crate::format::{bytes, duration, grouped, number, number_at, percent};
use crate::{Suites, Tile};

/// Everything that decides how the page looks.
const STYLE: &str = include_str!("style.css");

/// The whole document.
pub(super) fn page(run: &Run, suites: &Suites) -> String {
    let name = escape(&run.name);
    let parts = [
        headline(run, suites),
        plans(run),
        levels(run),
        videos(run),
        searches(run),
        evaluations(run, suites),
        curves(run),
        configuration(run),
    ];
    let body = parts.concat();
    let body =
        if body.is_empty() { "<p class=\"note\">This run folder holds no results yet.</p>".to_owned() } else { body };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{name} \u{2013} prevision</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header><p>prevision run</p><h1>{name}</h1></header>\n\
         <main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// The numbers that a reader wants first.
fn headline(run: &Run, suites: &Suites) -> String {
    let mut tiles = Vec::new();
    if let Some((_, plan)) = run.newest_plan.and_then(|newest| run.plans.get(newest))
        && let Some((share, [low, high])) = rate(plan, "success_rate", "interval")
    {
        let trials = number_at(plan, &["episodes"]).map_or_else(String::new, |n| format!(", {} episodes", number(n)));
        let remark = format!("95 % interval {} to {}{trials}", percent(low), percent(high));
        tiles.push(Tile::new("Planning success", percent(share), remark));
    }
    tiles.extend(measured::headline(run, suites));
    tiles.extend(run.train.as_ref().map(training_tiles).into_iter().flatten());
    if tiles.is_empty() {
        return String::new();
    }
    format!("<section class=\"tiles headline\">{}</section>\n", tile_row(&tiles))
}

fn training_tiles(train: &Value) -> Vec<Tile> {
    let at = |key: &str| number_at(train, &[key]);
    let mut tiles = Vec::new();
    if let Some(loss) = number_at(train, &["final_loss", "total"]) {
        let remark = at("steps").map_or_else(String::new, |steps| format!("after {} steps", grouped(steps)));
        tiles.push(Tile::new("Final loss", number(loss), remark));
    }
    if let Some(seconds) = at("seconds") {
        let remark = at("frames").map_or_else(String::new, |frames| format!("{} frames", grouped(frames)));
        tiles.push(Tile::new("Training time", duration(seconds), remark));
    }
    if let Some(rate) = at("frames_per_second") {
        let remark = at("peak_memory_bytes").map_or_else(String::new, |count| format!("peak memory {}", bytes(count)));
        tiles.push(Tile::new("Frames per second", grouped(rate), remark));
    }
    let skipped = train.get("skipped_files").and_then(Value::as_array).map_or(0, Vec::len);
    if skipped > 0 {
        tiles.push(Tile::new("Skipped files", skipped.to_string(), "named in summary.json"));
    }
    tiles
}

fn configuration(run: &Run) -> String {
    let body = run.config.as_ref().map_or_else(String::new, |config| format!("<pre>{}</pre>", escape(config.trim())));
    section("configuration", "Configuration", "Resolved, with every default: this file repeats the run.", &body)
}
