//! Labelled frames in files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prevision_core::config::check::{ensure, message};
use prevision_core::frames::{FrameBuffer, Window};
use prevision_core::{Camera, Observations};
use prevision_model::{Latents, ObservationBatch, WorldModel};
use prevision_video::{FrameSource, OpenOptions, Video};

use super::{Unsafe, UnsafeConfig};
use crate::cost::CostContext;

/// Frames that are encoded at once.
const AT_ONCE: usize = 64;

impl Unsafe {
    /// Reads labelled frames, encodes them and fits a classifier.
    ///
    /// # Errors
    /// If the model does not see a single camera, the table or one of the frames cannot be read, or a label does not occur.
    pub fn from_files(context: &CostContext, keys: &UnsafeConfig) -> Result<Self, String> {
        let model = context.model.as_ref();
        let wrong = |cause: String| {
            message("examples", keys.examples.display(), format_args!("a table of labelled frames: {cause}"))
        };
        let (name, camera) = model.spec().spaces.only_camera().map_err(wrong)?;
        let rows = table(&keys.examples).map_err(wrong)?;
        let seen = frames(&rows, name, camera).map_err(wrong)?;
        let labels: Vec<bool> = rows.iter().map(|row| row.label).collect();
        if seen.is_empty() {
            return Err(wrong("it has no rows".to_owned()));
        }
        Self::fit(&encode(model, &seen), &labels, keys.penalty, keys.threshold).map_err(wrong)
    }
}

/// A row of the table.
struct Row {
    line: u64,
    file: PathBuf,
    frame: usize,
    label: bool,
}

fn table(path: &Path) -> Result<Vec<Row>, String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|error| error.to_string())?;
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| names.iter().position(|known| known == name);
    let required = |name: &str| column(name).ok_or_else(|| format!("it has no column {name}"));
    let (file, label, frame) = (required("file")?, required("label")?, column("frame"));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: usize| record.get(column).unwrap_or_default();
        let at = |message: String| format!("line {line}: {message}");
        let number = frame.map_or("0", field);
        let frame = number.parse().map_err(|_| at(message("frame", number, "a number of a frame, from 0")))?;
        ensure(matches!(field(label), "0" | "1"), "label", field(label), "0 or 1").map_err(at)?;
        rows.push(Row { line, file: folder.join(field(file)), frame, label: field(label) == "1" });
    }
    Ok(rows)
}

/// The frames of the rows, each scaled as a whole to the size that the model sees. Every file is opened once.
fn frames(rows: &[Row], name: &str, camera: Camera) -> Result<Vec<Observations>, String> {
    let mut files: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        files.entry(&row.file).or_default().push(index);
    }
    let mut seen = vec![Observations::default(); rows.len()];
    for (file, places) in files {
        let line = rows[places[0]].line;
        let failed = |message: String| format!("line {line}: {}: {message}", file.display());
        let mut video = Video::open(file, &OpenOptions::default()).map_err(|error| failed(error.to_string()))?;
        let numbers: Vec<usize> = places.iter().map(|place| rows[*place].frame).collect();
        if let Some(beyond) = numbers.iter().find(|number| **number >= video.len()) {
            return Err(failed(format!("it has {} frames, none has number {beyond}", video.len())));
        }
        let (width, height) = video.size();
        let mut out = FrameBuffer::new(numbers.len(), camera.height, camera.width);
        let read = video.read_window(&numbers, &Window::whole(width, height), false, &mut out);
        read.map_err(|error| failed(error.to_string()))?;
        for (index, place) in places.into_iter().enumerate() {
            let data = out.frame(index).to_vec();
            let frame = FrameBuffer { data, frames: 1, height: camera.height, width: camera.width };
            seen[place] = Observations::of_camera(name, frame);
        }
    }
    Ok(seen)
}

/// The latents of single moments, `[n, 1, tokens, d]`.
fn encode(model: &dyn WorldModel, seen: &[Observations]) -> Latents {
    let part = |part: &[Observations]| {
        let rows: Vec<&Observations> = part.iter().collect();
        model.encode(&ObservationBatch::upload(&rows, &model.spec().normalise, &model.device())).tokens
    };
    Latents::new(burn::tensor::Tensor::cat(seen.chunks(AT_ONCE).map(part).collect(), 0))
}
