//! How many levels of a hierarchy to plan with: success and cost by number of levels.

use serde_json::Value;

use super::html::{section, table};
use super::planned::rate;
use super::run::Run;
use crate::Table;
use crate::format::{duration, number, number_at, percent};

/// What `prevision levels` has measured; nothing without it.
pub(super) fn levels(run: &Run) -> String {
    let Some(choice) = &run.levels else { return String::new() };
    let measured = choice.get("measured").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let chosen = number_at(choice, &["levels"]);
    let row = |result: &Value| {
        let levels = number_at(result, &["levels"])?;
        let (share, [low, high]) = rate(result, "success_rate", "interval")?;
        let products =
            number_at(result, &["operations_per_episode"]).map(|count| format!("{} TFLOP", number(count / 1e12)));
        let time = number_at(result, &["seconds_per_episode"]).map(duration);
        let mark = if Some(levels) == chosen { ", chosen" } else { "" };
        Some(vec![
            format!("{}{mark}", number(levels)),
            format!("{}, {} to {}", percent(share), percent(low), percent(high)),
            products.unwrap_or_else(|| "\u{2013}".to_owned()),
            time.unwrap_or_else(|| "\u{2013}".to_owned()),
        ])
    };
    let heads = ["Levels", "Arrived, 95 % interval", "Products of planning per episode", "Time per episode"];
    let rows = measured.iter().filter_map(row).collect();
    let caption = "Success and cost by number of levels".to_owned();
    let note = format!(
        "{} episodes each, the same tasks. The fewest levels whose success lies within the interval of the best are chosen.",
        number_at(choice, &["episodes"]).map_or_else(|| "Some".to_owned(), number)
    );
    section("levels", "Levels", &note, &table(&Table { caption, heads: heads.map(str::to_owned).to_vec(), rows }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_number_of_levels_has_a_row_and_one_is_chosen() {
        let result = |levels: usize, share: f64| {
            json!({"levels": levels, "success_rate": share, "interval": [share - 0.1, share + 0.1],
                   "operations_per_episode": 2.5e12, "seconds_per_episode": 3.0})
        };
        let choice = json!({"levels": 2, "episodes": 50, "seed": 1, "measured": [result(1, 0.2), result(2, 0.8)]});
        let html = levels(&Run { levels: Some(choice), ..Run::default() });
        assert!(html.contains("<td>2, chosen</td><td>80 %, 70 % to 90 %</td><td>2.5 TFLOP</td>"), "{html}");
        assert!(html.contains("<td>1</td><td>20 %") && html.contains("50 episodes each"), "{html}");
        assert_eq!(levels(&Run::default()), "");
    }
}
