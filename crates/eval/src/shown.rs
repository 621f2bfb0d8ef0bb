//! What people see of results, on the terminal and in a report.

use serde_json::Value;

use crate::format::{number, words};

/// Rows of a table that are shown without a suite's own choice.
const ROWS: usize = 50;

/// What people see of a suite's results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Lines of text.
    pub lines: Vec<String>,
    /// The numbers that stand above everything else in a report.
    pub headline: Vec<Tile>,
    /// Single numbers.
    pub tiles: Vec<Tile>,
    /// Line charts.
    pub charts: Vec<Chart>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// One number with its name and a remark, as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// What it is.
    pub name: String,
    /// The number, with its unit.
    pub value: String,
    /// A few words; may be empty.
    pub remark: String,
}

impl Tile {
    /// A tile.
    pub fn new(name: impl Into<String>, value: impl Into<String>, remark: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), remark: remark.into() }
    }
}

/// Lines over one axis, with a mark at every point; y starts at 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Heading.
    pub title: String,
    /// What x counts.
    pub x: String,
    /// The lines; those without points are left out.
    pub series: Vec<Series>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is, for the legend.
    pub name: String,
    /// Points in order of x.
    pub points: Vec<(f64, f64)>,
}

/// A table of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Heading.
    pub caption: String,
    /// Heading of each column.
    pub heads: Vec<String>,
    /// Cells of each row.
    pub rows: Vec<Vec<String>>,
}

impl Shown {
    /// All numbers of any results: single ones as tiles, lists as tables.
    pub fn numbers(name: &str, results: &Value) -> Self {
        let mut shown = Self::default();
        shown.collect(&words(name), results);
        let texts: Vec<String> = shown.tiles.iter().map(|tile| format!("{} {}", tile.name, tile.value)).collect();
        let mut texts = if texts.is_empty() { Vec::new() } else { vec![texts.join(", ")] };
        texts.extend(shown.tables.iter().map(|table| format!("{}: {} rows", table.caption, table.rows.len())));
        shown.lines = texts.into_iter().map(|text| format!("{:<23} {text}", words(name))).collect();
        shown
    }

    fn collect(&mut self, name: &str, value: &Value) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    self.collect(&words(key), value);
                }
            }
            Value::Array(items) => self.tables.extend(list(name, items)),
            other => self.tiles.extend(text(other).map(|text| Tile::new(name, text, ""))),
        }
    }
}

/// A list as a table: a column of each key of its entries, or one of the entries themselves.
fn list(name: &str, items: &[Value]) -> Option<Table> {
    let mut heads: Vec<&String> = Vec::new();
    for key in items.iter().filter_map(Value::as_object).flat_map(|entries| entries.keys()) {
        if !heads.contains(&key) {
            heads.push(key);
        }
    }
    let cell = |value: Option<&Value>| value.and_then(text).unwrap_or_else(|| "\u{2013}".to_owned());
    let row = |item: &Value| -> Vec<String> {
        if heads.is_empty() { vec![cell(Some(item))] } else { heads.iter().map(|key| cell(item.get(key))).collect() }
    };
    let rows: Vec<Vec<String>> = items.iter().take(ROWS).map(row).collect();
    let left_out = items.len() - rows.len();
    let caption = if left_out > 0 { format!("{name}, {left_out} more rows not shown") } else { name.to_owned() };
    let heads = if heads.is_empty() { vec![name.to_owned()] } else { heads.iter().map(|key| words(key)).collect() };
    (!rows.is_empty()).then_some(Table { caption, heads, rows })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Number(found) => found.as_f64().map(number),
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_results_become_tiles_and_tables() {
        let results = json!({
            "inner": {"best_step": 7}, "none": null, "note": "ok",
            "per_step": [{"error": 2.5, "step": 1}, {"step": 2}], "plain": [3, 4], "score": 0.25,
        });
        let shown = Shown::numbers("my_suite", &results);
        let tile = |name: &str, value: &str| Tile::new(name, value, "");
        assert_eq!(shown.tiles, [tile("best step", "7"), tile("note", "ok"), tile("score", "0.25")]);
        assert_eq!(shown.tables[0].heads, ["error", "step"]);
        assert_eq!(shown.tables[0].rows, [["2.5", "1"], ["\u{2013}", "2"]]);
        assert_eq!(
            (shown.tables[1].caption.as_str(), shown.tables[1].rows.concat()),
            ("plain", vec!["3".into(), "4".into()])
        );
        assert_eq!(shown.lines[0], "my suite                best step 7, note ok, score 0.25");
        assert_eq!(shown.lines[1], "my suite                per step: 2 rows");
    }

    #[test]
    fn a_number_alone_has_the_suites_name_and_long_lists_are_cut() {
        assert_eq!(Shown::numbers("score", &json!(3)).tiles, [Tile::new("score", "3", "")]);
        let long = Shown::numbers("long", &json!((0..60).collect::<Vec<_>>()));
        assert_eq!((long.tables[0].rows.len(), long.tables[0].caption.as_str()), (50, "long, 10 more rows not shown"));
        assert!(Shown::numbers("empty", &json!([])).tables.is_empty());
    }
}
