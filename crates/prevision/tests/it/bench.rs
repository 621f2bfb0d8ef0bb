//! Timing fixed pieces of work.

use crate::support::{refused, stdout, succeed};

#[test]
fn a_case_is_timed_and_reported() {
    let output = succeed(&["bench", "conv-infer", "--threads", "1", "--runs", "3", "--warm-up", "0", "--json", "-"]);
    let results: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(results["case"], "conv-infer");
    assert_eq!((&results["device"], &results["precision"]), (&"cpu".into(), &"float32".into()));
    assert_eq!((&results["threads"], &results["runs"]), (&1.into(), &3.into()));
    // Patches of 27, then 288 and 576 and 1152 numbers: 32 x 32 places of 32 channels and so on, 128 frames.
    let places = [32 * 32 * 32 * (27 + 288), 16 * 16 * 64 * (288 + 576), 8 * 8 * 128 * (576 + 1152)];
    assert_eq!(results["flops"], 2 * 128 * places.iter().sum::<u64>());
    let seconds = ["min_seconds", "median_seconds", "max_seconds"].map(|name| results[name].as_f64().expect("seconds"));
    assert!(seconds[0] > 0.0 && seconds.is_sorted(), "{seconds:?}");
    let (flops, rate) = (results["flops"].as_f64(), results["matmul_flops_per_second"].as_f64());
    let share = flops.expect("operations") / seconds[1] / rate.expect("a rate");
    assert!((results["matmul_share"].as_f64().expect("a share") - share).abs() < 1e-6 * share);
    assert!(results["peak_memory_bytes"].as_u64().is_some_and(|bytes| bytes > 10_000_000), "{results}");
}

#[test]
fn shipped_experiments_and_a_plan_are_timed() {
    for case in [
        "gru-rollout",
        "gru-train",
        "transformer-train",
        "regularise",
        "two-rooms-train",
        "video-pretraining-train",
        "cem-plan",
    ] {
        let text = stdout(&succeed(&["bench", case, "--runs", "1", "--warm-up", "0"]));
        assert!(text.contains(&format!("{case} (cpu, float32")) && text.contains("median of 1 runs"), "{text}");
    }
}

#[test]
fn what_is_unknown_is_named() {
    refused(&["bench", "vit"], 2, &["vit", "vit-train"]);
    refused(&["bench", "rollout", "--threads", "0"], 2, &["--threads"]);
    refused(&["bench", "rollout", "--precision", "half"], 2, &["half", "float32", "bf16"]);
}
