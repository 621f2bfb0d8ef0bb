//! `prevision import`: weights that others have trained.

mod storing;

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use burn::module::Module as _;
use burn::tensor::Device;
use prevision_model::parameters::StoredType;
use prevision_model::predictor::LewmConfig;
use prevision_model::pretrained::{Input, PretrainedSpec, ResizeTo, WorldSpec};
use serde::Serialize;

use super::adopt::RunArgs;
use super::encode::bring_in;
use crate::app::App;
use crate::{Output, Usage};
use storing::Told;

/// Bring in weights that others have trained: V-JEPA 2 and 2.1, LeVJEPA, I-JEPA, DINOv2, ViT, LeWM
///
/// Takes a folder as transformers writes it (config.json and safetensors, in one file or several), one as
/// stable-worldmodel writes it (config.json and weights.pt), a file that V-JEPA 2's authors publish (.pt), or
/// the run folder of a masked or a multi-view model. Of a pickle nothing is executed. What is missing, has
/// another shape, or is left over and not known is an error. `prevision encode` makes features of videos with
/// the result; of a LeWM `prevision rollout` imagines.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The folder, the file or the run folder
    checkpoint: PathBuf,
    /// File to write, .safetensors: weights, and what they are
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Type to store matrices in: f32, bf16, f16 or int8; what all but f32 change of features is told
    #[arg(long, value_name = "TYPE", default_value_t)]
    dtype: StoredType,
    /// Video whose first window the change of features is measured on; default: noise, always the same
    #[arg(long, value_name = "VIDEO")]
    clip: Option<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    check_file(&args.out)?;
    if args.clip.is_some() && args.dtype == StoredType::Float32 {
        let message = "--clip: with --dtype f32 weights stay as they are, and features do not change";
        return Err(Usage(message.to_owned()).into());
    }
    let (model, report) = bring_in(&args.checkpoint, &Device::flex())?;
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    }
    let stored = storing::save(&model, &args.out, args.dtype, args.clip.as_deref())?;
    let run = args.run.make(app.parts(), &model)?;
    let mut left_out: Vec<LeftOut> = Vec::new();
    for (name, why) in report.left_out {
        match left_out.iter_mut().find(|group| group.why == why) {
            Some(group) => group.names.push(name),
            None => left_out.push(LeftOut { why, names: vec![name] }),
        }
    }
    let imported = Imported {
        kind: report.layout,
        parameters: model.networks.num_params(),
        encoder_parameters: model.networks.encoder.num_params(),
        used: report.used.len(),
        left_out,
        spec: stored.model.spec,
        stored: stored.told,
        file: args.out.clone(),
        run: run.map(|run| run.display().to_string()),
    };
    args.output.give(&imported, &table(&imported))
}

/// Refuses another extension than the format has.
pub(super) fn check_file(path: &std::path::Path) -> Result<()> {
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        return Ok(());
    }
    Err(Usage(format!("--out {}: expected a file that ends in .safetensors", path.display())).into())
}

/// What was brought in.
#[derive(Serialize)]
struct Imported {
    kind: &'static str,
    parameters: usize,
    encoder_parameters: usize,
    /// Tensors.
    used: usize,
    left_out: Vec<LeftOut>,
    spec: PretrainedSpec,
    stored: Told,
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    file: PathBuf,
    /// The run folder, if one was made.
    run: Option<String>,
}

/// Tensors that were not used, for one reason.
#[derive(Serialize)]
struct LeftOut {
    why: &'static str,
    names: Vec<String>,
}

fn table(imported: &Imported) -> String {
    let mut text = String::new();
    let PretrainedSpec { encoder, predictor, input, weights, part, .. } = &imported.spec;
    // Writing to a string cannot fail.
    let part = part.as_ref().map(|part| format!(", {}", part.trim_end_matches('.'))).unwrap_or_default();
    let _ = writeln!(text, "kind        {}{part}", imported.kind);
    let millions = |count: usize| count as f64 / 1e6;
    let _ = writeln!(
        text,
        "encoder     {} wide, {} blocks, {} heads, patches of {}{}, {:.1} M parameters",
        encoder.dim,
        encoder.depth,
        encoder.heads,
        encoder.patch,
        if encoder.tubelet > 1 { format!(" in tubelets of {} frames", encoder.tubelet) } else { String::new() },
        millions(imported.encoder_parameters)
    );
    if let Some(predictor) = predictor {
        let rest = millions(imported.parameters - imported.encoder_parameters);
        let _ =
            writeln!(text, "predictor   {} wide, {} blocks, {rest:.1} M parameters", predictor.width, predictor.depth);
    }
    if let Some(WorldSpec { predictor, action, .. }) = &imported.spec.world {
        let rest = millions(imported.parameters - imported.encoder_parameters);
        let LewmConfig { history, depth, heads, hidden, .. } = predictor;
        let _ = writeln!(
            text,
            "predictor   {depth} blocks, {heads} heads, MLPs of {hidden}, sees {history} latents; with projectors {rest:.1} M \
             parameters\nactions     {action} numbers",
        );
    }
    if let Some(classifier) = &imported.spec.classifier {
        let named = if imported.spec.labels.is_empty() { ", without names" } else { "" };
        let _ = writeln!(text, "classifier  {} classes{named}", classifier.classes);
    }
    let Input { frames, crop, resize, .. } = input;
    let resized = match resize.to {
        ResizeTo::Shorter(side) | ResizeTo::Whole(side) => {
            format!("the middle of pictures whose shorter side is {side}")
        }
        ResizeTo::Exactly([rows, columns]) => format!("of pictures of {columns} x {rows}"),
    };
    let frames = if *frames == 1 { "1 frame".to_owned() } else { format!("{frames} frames") };
    let _ = match resize.to {
        ResizeTo::Whole(side) => writeln!(text, "sees        {frames}, whole pictures whose shorter side is {side}"),
        _ => writeln!(text, "sees        {frames}, {crop} x {crop}, {resized}"),
    };
    let _ = writeln!(text, "tensors     {} used", imported.used);
    for LeftOut { why, names } in &imported.left_out {
        let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
        let _ = writeln!(text, "left out    {}{more}: {why}", names[0]);
    }
    let _ = writeln!(text, "weights     {}", &weights[..weights.len().min(16)]);
    text.push_str(&imported.stored.lines());
    let _ = write!(text, "file        {}", imported.file.display());
    if let Some(run) = &imported.run {
        let _ = write!(text, "\nrun         {run}");
    }
    text
}
