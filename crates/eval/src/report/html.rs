//! Pieces of HTML. Text is escaped here.

use super::chart::LineChart;
use crate::{Chart, Series, Table, Tile};

/// Text that may hold `<`, `&` and quotes, for HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A section with a heading and a sentence; nothing when it has no body.
pub(super) fn section(id: &str, title: &str, note: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{}</p>", escape(note)) };
    format!("<section id=\"{}\"><h2>{}</h2>{note}{body}</section>\n", escape(id), escape(title))
}

/// Numbers side by side; nothing when there are none.
pub(super) fn tiles(tiles: &[Tile]) -> String {
    wrapped("tiles", &tile_row(tiles))
}

/// Numbers side by side, without what holds them.
pub(super) fn tile_row(tiles: &[Tile]) -> String {
    let tile = |tile: &Tile| {
        let [name, value, remark] = [&tile.name, &tile.value, &tile.remark].map(|text| escape(text));
        format!("<div class=\"tile\"><span>{name}</span><strong>{value}</strong><small>{remark}</small></div>")
    };
    tiles.iter().map(tile).collect()
}

/// Charts side by side; nothing when none has a point.
pub(super) fn charts(charts: &[Chart]) -> String {
    let figure = |chart: &Chart| {
        let series: Vec<Series> = chart.series.iter().filter(|series| !series.points.is_empty()).cloned().collect();
        LineChart { title: &chart.title, x: &chart.x, series: &series, faint: &[], marks: true, from_zero: true }
            .figure()
    };
    figures(charts.iter().map(figure).collect())
}

/// Drawn charts side by side; nothing when they are empty.
pub(super) fn figures(figures: String) -> String {
    wrapped("grid-charts", &figures)
}

fn wrapped(class: &str, inner: &str) -> String {
    if inner.is_empty() { String::new() } else { format!("<div class=\"{class}\">{inner}</div>") }
}

/// A table; nothing when it has no rows.
pub(super) fn table(table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let cells =
        |cells: &[String], between: &str| cells.iter().map(|cell| escape(cell)).collect::<Vec<_>>().join(between);
    let heads = cells(&table.heads, "</th><th scope=\"col\">");
    let rows: Vec<String> = table.rows.iter().map(|row| cells(row, "</td><td>")).collect();
    let rows = rows.join("</td></tr><tr><td>");
    format!(
        "<div class=\"scroll\"><table><caption>{}</caption><thead><tr><th scope=\"col\">{heads}</th></tr></thead>\
         <tbody><tr><td>{rows}</td></tr></tbody></table></div>",
        escape(&table.caption)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
        let html = tiles(&[Tile::new("<name>", "<1>", "<remark>")]);
        assert!(
            html.contains("&lt;name&gt;") && html.contains("&lt;1&gt;") && html.contains("&lt;remark&gt;"),
            "{html}"
        );
        let heads = vec!["<head>".to_owned()];
        let html = table(&Table { caption: "<caption>".into(), heads, rows: vec![vec!["<cell>".into()]] });
        assert!(html.contains("<caption>&lt;caption&gt;</caption>"), "{html}");
        assert!(html.contains("&lt;head&gt;") && html.contains("<td>&lt;cell&gt;</td>"), "{html}");
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        assert_eq!(section("a", "A", "", ""), "");
        assert_eq!(tiles(&[]), "");
        let series = vec![Series { name: "line".into(), points: Vec::new() }];
        assert_eq!(charts(&[Chart { title: "empty".into(), x: "x".into(), series }]), "");
        assert_eq!(table(&Table { caption: "empty".into(), heads: vec!["a".into()], rows: Vec::new() }), "");
    }
}
