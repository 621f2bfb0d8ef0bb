//! The report of a run folder.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use prevision_core::FrameBuffer;
use prevision_eval::{EvalError, built_in};
use prevision_video::{Mp4Options, Mp4Writer, Quality, write_gif};
use serde_json::json;

fn report(run: &Path) -> Result<PathBuf, EvalError> {
    prevision_eval::report::write(run, &built_in())
}

/// A folder that stays after the test, so that the page can be looked at.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn wandering(seed: usize) -> FrameBuffer {
    let mut frames = FrameBuffer::new(40, 130, 130);
    for t in 0..40 {
        let (x, y) = (10 + (t * (2 + seed)) % 110, 10 + (t * 3) % 110);
        let frame = frames.frame_mut(t);
        for dy in 0..8 {
            for dx in 0..8 {
                let pixel = ((y + dy) * 130 + x + dx) * 3;
                frame[pixel..pixel + 3].copy_from_slice(&[230, 60, 60]);
            }
        }
    }
    frames
}

fn write_mp4(path: &Path, frames: &FrameBuffer) {
    let options =
        Mp4Options { width: 130, height: 130, frame_rate: 20, quality: Quality::Crf(20), keyframe_interval: 20 };
    let mut writer = Mp4Writer::create(path, &options).unwrap();
    (0..frames.frames).for_each(|i| writer.write(frames.frame(i)).unwrap());
    writer.finish().unwrap();
}

fn metrics() -> String {
    let mut text = String::new();
    for i in 1..=300 {
        let (step, t) = (i * 20, f64::from(i) / 300.0);
        let wave = 1.0 + 0.1 * (f64::from(i) * 1.7).sin();
        let line = json!({
            "step": step, "frames": step * 544, "seconds": f64::from(step) * 0.12,
            "loss": {"total": wave * (0.4 + 20.0 * (-8.0 * t).exp()), "prediction": wave * 0.03 * (1.0 + 3.0 * t * (-5.0 * t).exp()),
                     "variance": wave * 0.9 * (-9.0 * t).exp() + 0.001, "covariance": wave * (0.02 + 0.3 * (-20.0 * t).exp()),
                     "temporal_similarity": 0.005 * wave, "inverse_dynamics": wave * (0.1 + 0.9 * (-6.0 * t).exp())},
            "learning_rate": 1e-3 * (1.0 - t), "gradient_norm": wave * 2.0, "clips_per_second": 120.0
        });
        let _ = writeln!(text, "{line}");
    }
    // A kill in the middle of a line.
    text + "{\"step\": 6020, \"los"
}

/// Searches of so many iterations, of four episodes with two plans each.
fn traces(iterations: usize) -> serde_json::Value {
    let search = |episode: usize, step: usize| {
        let iteration = |at: usize| {
            let (at, far) = (at as f64, 40.0 + 9.0 * episode as f64);
            let best = far + far * (-0.5 * at).exp() + (at * 2.1 + far).sin();
            json!({"best": best, "elites": best + 12.0 * (-0.4 * at).exp(), "spread": 1.5 * (-(0.1 + 0.03 * far / 40.0) * at).exp()})
        };
        let iterations: Vec<_> = (0..iterations).map(iteration).collect();
        json!({"episode": episode, "step": step, "cut_short": false, "iterations": iterations})
    };
    let plans: Vec<_> = [0, 1].into_iter().flat_map(|step| (0..4).map(move |it| (it, step))).collect();
    json!({"plans": plans.into_iter().map(|(episode, step)| search(episode, step)).collect::<Vec<_>>()})
}

fn full_run() -> PathBuf {
    let run = folder("two-rooms");
    for sub in ["eval", "plan", "videos"] {
        fs::create_dir(run.join(sub)).unwrap();
    }
    fs::write(run.join("config.toml"), "seed = 0\n\n[data.source]\nkind = \"episodes\"\npath = \"<data>\"\n").unwrap();
    fs::write(run.join("metrics.jsonl"), metrics()).unwrap();
    let summary = json!({"frames": 3_264_000, "steps": 6000, "seconds": 721.5, "frames_per_second": 4523.9,
        "peak_memory_bytes": 1_412_000_000, "final_loss": {"total": 0.4123, "prediction": 0.0301}, "skipped_files": []});
    fs::write(run.join("summary.json"), summary.to_string()).unwrap();
    let horizons = [(1, 0.011, 0.05, 0.98), (2, 0.016, 0.12, 0.981), (4, 0.031, 0.27, 0.979), (8, 0.062, 0.55, 0.982)];
    let rollout: Vec<_> =
        horizons.iter().map(|(h, m, c, a)| json!({"horizon": h, "model": m, "copy": c, "mean": a})).collect();
    let predicted: Vec<_> = horizons
        .iter()
        .map(|(h, m, ..)| json!({"horizon": h, "position_px": 0.6 + 20.0 * m, "linear_px": 1.4 + 22.0 * m}))
        .collect();
    let ranks: Vec<_> =
        horizons.iter().map(|(h, m, ..)| json!({"horizon": h, "top1": 1.0 - 2.0 * m, "mrr": 1.0 - m})).collect();
    let eval = json!({"clips": 256, "seconds": 31.0, "rollout": rollout,
        "probe": {"position_px": 0.61, "linear_px": 1.42, "mean_px": 22.8, "training_samples": 17408, "test_samples": 4352, "predicted": predicted},
        "collapse": {"effective_rank": 41.7, "rankme": 188.2, "std_min": 0.31, "std_mean": 0.97},
        "retrieval": {"top1": 0.876, "mrr": 0.938, "candidates": 256, "horizons": ranks}});
    fs::write(run.join("eval/results.json"), eval.to_string()).unwrap();
    let plan = |solver: &str, hits: u32, rate: f64, low: f64, high: f64| {
        json!({"environment": "two-rooms", "policy": format!("planner/{solver}"), "operations_per_episode": f64::from(hits) * 3e10, "solver": solver, "unit": "px", "episodes": 50, "excluded_solved_at_start": 0, "successes": hits,
            "success_rate": rate, "interval": [low, high], "success_rate_at_end": rate - 0.02, "interval_at_end": [low - 0.02, high - 0.01],
            "seconds_per_episode": 1.9, "seconds_per_plan": 0.021, "plans": 4100, "final_distance": {"mean": 3.1, "median": 1.2},
            "per_episode": [{"episode": 0, "success": true, "first_success_step": 57, "final_distance": 1.1},
                            {"episode": 1, "success": false, "first_success_step": null, "final_distance": 18.4}]})
    };
    fs::write(run.join("plan/two-rooms-random.json"), plan("random", 4, 0.08, 0.032, 0.188).to_string()).unwrap();
    // The result written last is the one of the headline.
    std::thread::sleep(std::time::Duration::from_millis(50));
    fs::write(run.join("plan/two-rooms-mppi.json"), plan("mppi", 47, 0.94, 0.838, 0.979).to_string()).unwrap();
    fs::create_dir(run.join("plan/traces")).unwrap();
    fs::write(run.join("plan/traces/two-rooms-mppi.json"), traces(10).to_string()).unwrap();
    fs::write(run.join("plan/traces/two-rooms-random.json"), traces(1).to_string()).unwrap();
    for episode in 0..3 {
        write_mp4(&run.join(format!("videos/episode-{episode:03}.mp4")), &wandering(episode));
    }
    write_gif(&run.join("videos/episode-000.gif"), &wandering(0), 20).unwrap();
    write_gif(&run.join("videos/rollout.gif"), &wandering(4), 20).unwrap();
    run
}

#[test]
fn the_page_shows_what_the_run_holds() {
    let run = full_run();
    let path = report(&run).unwrap();
    assert_eq!(path, run.join("report.html"));
    let page = fs::read_to_string(path).unwrap();
    for text in [
        "<h1>two-rooms</h1>",
        "<strong>94 %</strong><small>95 % interval 84 % to 98 %, 50 episodes</small>",
        "<strong>11 %</strong><small>of the copy baseline\u{2019}s, 8 steps ahead",
        "47 of 50",
        "two-rooms, planner/mppi",
        "<td>1.2 px</td>",
        "\u{2713} arrived after 57 steps",
        "\u{2717} not arrived, 18.4 px left",
        "<strong>0.61</strong><small>probe on frozen latents, in the unit of the state</small>",
        "<strong>0.61</strong><small>linear 1.42, blind guess 22.8</small>",
        "Success over operations: two-rooms",
        "random: 8 % (95 % interval 3.2 % to 19 %), 0.12 TFLOP per episode",
        "two-rooms, planner/mppi: cost",
        "two-rooms, planner/mppi: spread",
        "Inverse dynamics",
        "Total loss <small>(log scale)</small>",
        "copy of the present: 0.55 at 8 steps ahead",
        "path = &quot;&lt;data&gt;&quot;",
        "prefers-color-scheme: dark",
        "name=\"viewport\"",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    assert_eq!(page.matches("data:video/mp4;base64,").count(), 3);
    assert_eq!(page.matches("data:image/gif;base64,").count(), 1, "a GIF beside an mp4 of the same name is left out");
    assert_eq!(
        page.matches("line faint").count(),
        2 * 4,
        "one line an episode; a search of one iteration has no course"
    );
    for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside} makes the page depend on something outside");
    }
    assert!(!page.contains("NaN"));
}

#[test]
fn missing_parts_are_left_out() {
    let run = folder("empty-run");
    let page = fs::read_to_string(report(&run).unwrap()).unwrap();
    assert!(page.contains("holds no results yet") && !page.contains("<section"));
    fs::write(run.join("summary.json"), r#"{"train": {"steps": 5, "seconds": 3.0}, "eval": {"rollout": [{"horizon": 1, "model": 1.0, "copy": 2.0, "mean": 3.0}]}}"#)
        .unwrap();
    let page = fs::read_to_string(report(&run).unwrap()).unwrap();
    assert!(page.contains("Training time") && page.contains("Latent rollout error"));
    assert!(!page.contains("Planning") && !page.contains("Configuration") && !page.contains("RankMe"));
}

#[test]
fn damage_is_named() {
    let run = folder("damaged-run");
    assert!(report(&run.join("none")).unwrap_err().to_string().contains("none"));
    fs::write(run.join("metrics.jsonl"), "{\"step\": 1}\nnot json\n{\"step\": 2}\n").unwrap();
    let message = report(&run).unwrap_err().to_string();
    assert!(message.contains("metrics.jsonl: expected a JSON object a line"), "{message}");
    fs::remove_file(run.join("metrics.jsonl")).unwrap();
    fs::create_dir(run.join("eval")).unwrap();
    fs::write(run.join("eval/results.json"), "{").unwrap();
    let message = report(&run).unwrap_err().to_string();
    assert!(message.contains("results.json: expected JSON"), "{message}");
}
