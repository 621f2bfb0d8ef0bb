//! Products of many shapes at every level of the processor, and the level that the kernels choose for each.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use prevision_kernels::cpu::{Level, Matrix, Precision, Sums, product_at, route};
use serde::Serialize;

/// Rows of the left operand, depths and columns: each with each, up to so many multiplications.
const ROWS: [usize; 3] = [64, 512, 4096];
const DEPTHS: [usize; 8] = [16, 32, 64, 128, 256, 512, 1024, 8192];
const COLUMNS: [usize; 7] = [16, 32, 64, 128, 256, 512, 1024];
const MOST: usize = 1 << 32;
/// Time that a shape at a level is measured for, at least.
const TIME: Duration = Duration::from_millis(8);
/// Runs of it, at least.
const RUNS: usize = 5;

/// A product at every level.
#[derive(Serialize)]
pub(crate) struct Shape {
    pub(crate) precision: Precision,
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    /// The level that products of this shape run at, or `float32` where they stay in that.
    pub(crate) chosen: String,
    /// Operations a second, two for a multiplication with its addition, by the name of the level, from the lowest, in bfloat16 those
    /// of float32 at its best level last; by the least time.
    pub(crate) flops_per_second: Vec<(String, f64)>,
}

impl Shape {
    /// How much longer the chosen level takes than the best one: 1 where it is the best.
    pub(crate) fn loss(&self) -> f64 {
        let rates = self.flops_per_second.iter();
        let best = rates.clone().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let chosen = rates.filter(|(level, _)| *level == self.chosen).map(|(_, rate)| *rate).fold(0.0, f64::max);
        best / chosen
    }
}

/// Measures all shapes in a precision, at the levels up to `highest`, which take turns.
pub(crate) fn measure(highest: Level, precision: Precision) -> Vec<Shape> {
    let levels: Vec<Level> = Level::available().into_iter().filter(|level| *level <= highest).collect();
    let shapes = ROWS.into_iter().flat_map(|rows| DEPTHS.into_iter().map(move |depth| (rows, depth)));
    let shapes = shapes.flat_map(|(rows, depth)| COLUMNS.into_iter().map(move |columns| [rows, depth, columns]));
    let shapes = shapes.filter(|shape| shape.iter().product::<usize>() <= MOST);
    shapes.map(|shape| one(&levels, highest, precision, shape)).collect()
}

/// The shapes for people: rates in GFLOP/s, the chosen level, and how much longer than the best it takes where that is over a tenth.
pub(crate) fn table(shapes: &[Shape]) -> String {
    let mut text = String::new();
    let Some(first) = shapes.first() else { return text };
    let levels = first.flops_per_second.iter().fold(String::new(), |line, (level, _)| line + &format!("{level:>14}"));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{:9} {:>5} {:>5} {:>7}{levels}  chosen", "GFLOP/s", "rows", "depth", "columns");
    for shape in shapes {
        let Shape { precision, rows, depth, columns, chosen, flops_per_second } = shape;
        let rates =
            flops_per_second.iter().fold(String::new(), |line, (_, rate)| line + &format!("{:>14.1}", rate / 1e9));
        let loss = shape.loss();
        let loss = if loss > 1.1 { format!(", {loss:.2} times the time of the best") } else { String::new() };
        let _ = writeln!(text, "{precision:9} {rows:>5} {depth:>5} {columns:>7}{rates}  {chosen}{loss}");
    }
    let losses = shapes.iter().map(Shape::loss);
    let lost = losses.clone().filter(|loss| *loss > 1.1).count();
    let most = losses.fold(1.0, f64::max);
    let _ = writeln!(
        text,
        "{lost} of {} shapes take more than 1.1 times the time of the best level, {most:.2} at most",
        shapes.len()
    );
    text
}

/// Measures a shape.
fn one(levels: &[Level], highest: Level, precision: Precision, [rows, depth, columns]: [usize; 3]) -> Shape {
    let number = |index: usize| (index * 7919 % 1009) as f32 / 504.5 - 1.0;
    let [a, b] = [rows * depth, depth * columns].map(|count| (0..count).map(number).collect::<Vec<f32>>());
    let (a, b) = (Matrix::new(&a, rows, depth), Matrix::new(&b, depth, columns));
    let mut out = vec![0.0; rows * columns];
    let name = |(level, done): (Level, Precision)| {
        if done == precision { level.name().to_owned() } else { done.to_string() }
    };
    let mut ways: Vec<(Level, Precision)> = levels.iter().map(|level| (*level, precision)).collect();
    if precision != Precision::Float32 {
        ways.push(route(highest, Precision::Float32, [depth, columns]));
    }
    let mut least = vec![f64::INFINITY; ways.len()];
    let (begin, mut runs) = (Instant::now(), 0);
    while runs < RUNS || begin.elapsed() < TIME * ways.len() as u32 {
        for ((level, precision), least) in ways.iter().zip(&mut least) {
            let start = Instant::now();
            product_at(*level, *precision, a, b, &mut out, &Sums);
            *least = least.min(start.elapsed().as_secs_f64());
        }
        runs += 1;
    }
    let flops = (2 * rows * depth * columns) as f64;
    let rates = ways.iter().zip(least).map(|(way, seconds)| (name(*way), flops / seconds));
    let chosen = name(route(highest, precision, [depth, columns]));
    Shape { precision, rows, depth, columns, chosen, flops_per_second: rates.collect() }
}
