//! Landscapes as a drawing.

use std::fmt::Write as _;

use super::{Landscape, Landscapes};

/// Landscapes in a row of the drawing.
const COLUMNS: usize = 5;
/// Side of a landscape, and the room around it, in pixels.
const SIDE: f64 = 150.0;
const MARGIN: f64 = 24.0;

/// The first `most` landscapes side by side: dark where the energy is low, a cross where it is least, a ring at what was done.
pub fn svg(landscapes: &Landscapes, most: usize) -> String {
    let shown: Vec<&Landscape> = landscapes.landscapes.iter().take(most).collect();
    let columns = COLUMNS.min(shown.len()).max(1);
    let rows = shown.len().div_ceil(columns);
    let pitch = SIDE + MARGIN;
    let (width, height) = (columns as f64 * pitch + MARGIN, rows as f64 * pitch + MARGIN + 20.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (number, landscape) in shown.into_iter().enumerate() {
        let (x, y) = (MARGIN + (number % columns) as f64 * pitch, MARGIN + (number / columns) as f64 * pitch);
        one(&mut text, landscape, x, y);
    }
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "<text x=\"{MARGIN}\" y=\"{}\">dark: low energy; cross: least energy; ring: what was done</text>\n</svg>",
        height - 10.0
    );
    text
}

fn one(text: &mut String, landscape: &Landscape, x: f64, y: f64) {
    let all = || landscape.energy.iter().flatten();
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), e| (low.min(*e), high.max(*e)));
    let side = landscape.values[0].len() as f64;
    let cell = SIDE / side;
    let _ = writeln!(
        text,
        "<text x=\"{x}\" y=\"{}\">episode {}, frame {}</text>",
        y - 5.0,
        landscape.episode,
        landscape.frame
    );
    for (row, energies) in landscape.energy.iter().enumerate() {
        for (column, energy) in energies.iter().enumerate() {
            let share = if high > low { (energy - low) / (high - low) } else { 0.0 };
            let [red, green, blue] = colour(share);
            let (left, top) = (x + column as f64 * cell, y + row as f64 * cell);
            let _ = writeln!(
                text,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{w:.1}\" height=\"{w:.1}\" fill=\"rgb({red},{green},{blue})\"/>",
                w = cell + 0.3
            );
        }
    }
    // The middle of a cell is its value.
    let place = |at: [f64; 2]| {
        [0, 1].map(|axis| {
            let values = &landscape.values[axis];
            let (first, last) = (values[0], values[values.len() - 1]);
            let share = if last > first { (at[axis] - first) / (last - first) } else { 0.5 };
            [x, y][axis] + cell / 2.0 + share.clamp(-0.05, 1.05) * (SIDE - cell)
        })
    };
    let ([mx, my], [ax, ay]) = (place(landscape.minimum), place(landscape.action));
    let _ = writeln!(
        text,
        "<path d=\"M{:.1} {my:.1}h10M{mx:.1} {:.1}v10\" stroke=\"white\" stroke-width=\"2\"/>\n\
         <circle cx=\"{ax:.1}\" cy=\"{ay:.1}\" r=\"5\" fill=\"none\" stroke=\"#e5482d\" stroke-width=\"2\"/>",
        mx - 5.0,
        my - 5.0
    );
}

/// From dark blue over green to yellow.
fn colour(share: f64) -> [u8; 3] {
    const STOPS: [[f64; 3]; 4] =
        [[38.0, 24.0, 90.0], [41.0, 110.0, 142.0], [82.0, 182.0, 122.0], [250.0, 231.0, 120.0]];
    let place = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let first = (place as usize).min(STOPS.len() - 2);
    let within = place - first as f64;
    std::array::from_fn(|channel| {
        (STOPS[first][channel] + within * (STOPS[first + 1][channel] - STOPS[first][channel])).round() as u8
    })
}
