//! What candidates take of memory while they are imagined, against the bound on it. Each test is a process of its own under nextest.

#![cfg(target_os = "linux")]

use std::fs;

use burn::prelude::*;
use prevision_model::{HeadFlags, Latents, Past};
use prevision_plan::cost::Scene;
use prevision_plan::score::{ModelScore, Score};

use super::gradients::{criteria, random};
use super::models::{GRID, TRANSFORMER, model, spaces};

const MEBIBYTE: usize = 1 << 20;

/// A line of this process's status, in bytes.
fn status(name: &str) -> usize {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// By how many bytes the process grows at most while it works.
fn growth(work: impl FnOnce()) -> usize {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");
    work();
    status("VmHWM").saturating_sub(before)
}

/// Candidates of one episode.
struct Candidates {
    samples: usize,
    horizon: usize,
    history: usize,
}

/// Growth while candidates are judged, or on the tape also differentiated, within so many bytes.
fn growth_within(config: &str, candidates: &Candidates, tape: bool, bound: Option<usize>) -> usize {
    let Candidates { samples, horizon, history } = *candidates;
    let model = model(config, &spaces(1, 2), &HeadFlags { distance: true, ..HeadFlags::default() });
    let spec = model.spec();
    let latents = Latents::new(random([1, history, spec.tokens, spec.token_width], 1.0));
    let goal = random([1, spec.tokens, spec.token_width], 1.0);
    let scene =
        Scene { present: latents.last().tokens.squeeze_dim(1), goal: Some(goal), obstacles: None, last_action: None };
    let past = Past { latents, actions: (history > 1).then(|| random([1, history - 1, 2], 1.0)) };
    let criteria = criteria(&model, "latent distance", &["reachable"]);
    let actions: Tensor<4> = random([1, samples, horizon, 2], 1.0);
    let work = |bound: Option<usize>, actions: Tensor<4>| {
        let score = ModelScore::new(model.as_ref(), &criteria, past.clone(), &scene).unwrap();
        let score = bound.into_iter().fold(score, ModelScore::within_memory);
        if tape {
            drop(score.gradients(actions).unwrap());
        } else {
            drop(score.score(actions));
        }
    };
    // What is set up once stays: threads, and weights as kernels read them.
    work(Some(1), actions.clone().narrow(1, 0, samples.min(40)));
    growth(|| work(bound, actions.clone()))
}

const GRIDS: Candidates = Candidates { samples: 300, horizon: 16, history: 1 };
const WINDOWS: Candidates = Candidates { samples: 600, horizon: 30, history: 3 };

#[test]
fn rollouts_of_a_grid_keep_within_the_bound() {
    let grown = growth_within(GRID, &GRIDS, false, Some(64 * MEBIBYTE));
    assert!(grown < 64 * MEBIBYTE, "{grown} bytes");
}

#[test]
fn derivatives_of_a_grid_keep_within_the_bound() {
    let grown = growth_within(GRID, &GRIDS, true, Some(64 * MEBIBYTE));
    assert!(grown < 64 * MEBIBYTE, "{grown} bytes");
}

#[test]
fn rollouts_of_a_transformer_keep_within_the_bound() {
    let grown = growth_within(TRANSFORMER, &WINDOWS, false, Some(32 * MEBIBYTE));
    assert!(grown < 32 * MEBIBYTE, "{grown} bytes");
}

#[test]
fn derivatives_of_a_transformer_keep_within_the_bound() {
    let grown = growth_within(TRANSFORMER, &WINDOWS, true, Some(48 * MEBIBYTE));
    assert!(grown < 48 * MEBIBYTE, "{grown} bytes");
}

#[test]
fn without_a_bound_rollouts_take_more() {
    let grown = growth_within(GRID, &Candidates { samples: 600, ..GRIDS }, false, None);
    assert!(grown > 64 * MEBIBYTE, "{grown} bytes");
}

#[test]
fn without_a_bound_derivatives_take_more() {
    let grown = growth_within(GRID, &Candidates { samples: 600, ..GRIDS }, true, None);
    assert!(grown > 64 * MEBIBYTE, "{grown} bytes");
}
