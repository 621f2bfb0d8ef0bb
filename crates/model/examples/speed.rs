//! Timings of the hot paths: `cargo run --release -p prevision-model --example speed`.
#![allow(clippy::print_stdout)] // an example answers on standard output

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use prevision_model::{ActionJepaConfig, FrameEncoderConfig, HeadFlags, InputShape};

const INPUT: InputShape = InputShape { channels: 3, frames: 17, height: 65, width: 65, action_dim: 2, state_dim: 2 };

fn main() {
    strided_conv_forward_backward();
    gru_rollout();
}

/// Median seconds of five runs after one to warm up: elapsed, and spent by all threads (Linux; else 0), for a machine that is shared.
fn median(mut run: impl FnMut()) -> (f64, f64) {
    run();
    let mut samples: Vec<(f64, f64)> = (0..5)
        .map(|_| {
            let (start, spent) = (Instant::now(), processor_seconds());
            run();
            (start.elapsed().as_secs_f64(), processor_seconds() - spent)
        })
        .collect();
    samples.sort_by(|a, b| a.1.total_cmp(&b.1));
    samples[2]
}

/// Processor time of this process, from the kernel's hundredths of a second.
fn processor_seconds() -> f64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/stat") else {
        return 0.0;
    };
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    [11, 12].iter().filter_map(|&field| fields.get(field)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn strided_conv_forward_backward() {
    let device = Device::flex().autodiff();
    let encoder = FrameEncoderConfig::default().init(&INPUT, &device);
    let video = Tensor::<5>::random([32, 3, 17, 65, 65], Distribution::Default, &device.without_autodiff());
    let forward = median(|| {
        let _ = encoder.valid().forward(video.clone()).sum().into_scalar::<f32>();
    });
    let both = median(|| {
        let _ = encoder.forward(video.clone()).powf_scalar(2.0).sum().backward();
    });
    let frames = 32.0 * 17.0;
    println!(
        "strided-conv forward (elapsed, processor) {forward:.3?} s, forward+backward {both:.3?} s = {:.0} frames/s elapsed",
        frames / both.0
    );
}

fn gru_rollout() {
    let device = Device::flex();
    let model = ActionJepaConfig::default().init(&INPUT, &HeadFlags::default(), &device);
    let start = Tensor::<3>::random([10_000, 1, 256], Distribution::Default, &device);
    let actions = Tensor::<3>::random([10_000, 30, 2], Distribution::Default, &device);
    let seconds = median(|| {
        let _ = model.rollout(start.clone(), actions.clone()).narrow(1, 29, 1).sum().into_scalar::<f32>();
    });
    println!("gru rollout [10000, 256] x 30 (elapsed, processor): {seconds:.3?} s");
}
