//! `prevision export`: weights as others read them.

use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::Device;
use prevision_model::pretrained::{Pretrained, export};
use serde::Serialize;

use crate::Output;
use crate::app::App;

/// Write pretrained weights as transformers reads them, those of a LeWM as stable-worldmodel does
///
/// The folder is one for `from_pretrained` (config.json, preprocessing, model.safetensors), or for
/// `load_pretrained` of stable-worldmodel (config.json, weights.pt).
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// A file of `prevision import`
    model: PathBuf,
    /// Folder to write; it must not be there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// What was written.
#[derive(Serialize)]
struct Exported {
    kind: String,
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    folder: PathBuf,
}

pub(crate) fn run(_: &App, args: &Args) -> Result<()> {
    let model = Pretrained::load(&args.model, &Device::flex())?;
    export(&model, &args.out)?;
    let exported = Exported { kind: model.spec.family, folder: args.out.clone() };
    let table = format!("{} in {}", exported.kind, exported.folder.display());
    args.output.give(&exported, &table)
}
