//! Videos of features: principal components as colours, and how much patches resemble one of them.

mod colours;
mod components;
mod film;
mod similarity;
mod spool;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use prevision_model::pretrained::PretrainedSpec;
use prevision_video::{FrameSource as _, OpenOptions, Video};
use serde::Serialize;

use super::windows::Windows;
use crate::Usage;
use components::Components;
use film::Film;
use similarity::{Pixel, Similarity};
use spool::Spool;

/// Which videos to make.
#[derive(clap::Args)]
pub(super) struct PictureArgs {
    /// Also write a video, .mp4: beside each picture the first three principal components of its patches
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tensor", "context_mask"])]
    pca: Option<PathBuf>,
    /// Pixel of the first picture, from its upper left corner: patches are compared with the one it is in
    #[arg(long, value_name = "ROW,COLUMN", requires = "similarity_video")]
    similarity: Option<Pixel>,
    /// With --similarity, write a video, .mp4: beside each picture the cosine of its patches with that one
    #[arg(long, value_name = "FILE", requires = "similarity", conflicts_with_all = ["tensor", "context_mask"])]
    similarity_video: Option<PathBuf>,
}

/// What was drawn.
#[derive(Serialize)]
pub(super) struct Drawn {
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    pub(super) file: PathBuf,
    pub(super) frames: usize,
    /// Of `--pca` the share of the variance that is red, green and blue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explained: Option<Vec<f64>>,
    /// Of `--similarity` the cosine that is dark; bright is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lowest: Option<f64>,
}

impl PictureArgs {
    /// The first that is asked for.
    fn first(&self) -> Option<(&'static str, &Path)> {
        let asked = [("--pca", &self.pca), ("--similarity-video", &self.similarity_video)];
        asked.into_iter().find_map(|(name, path)| path.as_deref().map(|path| (name, path)))
    }

    /// Refuses them for a model that has no patches.
    pub(super) fn none_of_latents(&self) -> Result<()> {
        match self.first() {
            None => Ok(()),
            Some((name, _)) => {
                let message = format!("{name}: a world model's latents are of whole frames: they have no patches");
                Err(Usage(message).into())
            }
        }
    }

    /// Checks what is asked for, and begins to keep features; `None` if nothing is.
    pub(super) fn begin(
        &self,
        videos: &[PathBuf],
        windows: Windows,
        layers: usize,
        spec: &PretrainedSpec,
    ) -> Result<Option<Pictures>> {
        let Some((_, first)) = self.first() else { return Ok(None) };
        for (name, path) in [("--pca", &self.pca), ("--similarity-video", &self.similarity_video)] {
            let Some(path) = path else { continue };
            if path.extension().is_none_or(|suffix| suffix != "mp4") {
                return Err(Usage(format!("{name} {}: expected a file that ends in .mp4", path.display())).into());
            }
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
            }
        }
        let film = Film::new(videos, windows, spec);
        let patch = self.similarity.zip(videos.first()).map(|(pixel, video)| patch(pixel, video, spec)).transpose()?;
        let similarity = self.similarity_video.clone().zip(patch);
        let spool = Spool::create(first, film.tokens(), spec.encoder.dim).with_context(|| unkept(first))?;
        let prefix = usize::from(spec.encoder.class_token) + spec.encoder.registers;
        let beside = first.to_owned();
        Ok(Some(Pictures { film, spool, beside, layers: layers.max(1), prefix, pca: self.pca.clone(), similarity }))
    }
}

/// The patch that a pixel of the first picture of a video is in, its row and its column.
fn patch(Pixel(pixel): Pixel, video: &Path, spec: &PretrainedSpec) -> Result<[usize; 2]> {
    let size = Video::open(video, &OpenOptions::default())?.size();
    let seen = spec.input.seen_at(pixel, size).map(|place| place.map(|at| at / spec.encoder.patch));
    let side = spec.input.crop / spec.encoder.patch;
    if let Some(patch) = seen.filter(|patch| patch.iter().all(|at| *at < side)) {
        return Ok(patch);
    }
    let ([row, column], (width, height)) = (pixel, size);
    let message = format!(
        "--similarity {row},{column}: not in what the model sees of {}, pictures of {width} x {height}, the middle cut out",
        video.display()
    );
    Err(Usage(message).into())
}

/// Features that are kept, and what is to become of them.
pub(super) struct Pictures {
    film: Film,
    spool: Spool,
    /// Where they are kept.
    beside: PathBuf,
    /// Layers of features in a window.
    layers: usize,
    /// Class token and registers.
    prefix: usize,
    pca: Option<PathBuf>,
    /// The file, and row and column of the patch.
    similarity: Option<(PathBuf, [usize; 2])>,
}

impl Pictures {
    /// Keeps features of windows, `[windows, layers, tokens, width]`.
    pub(super) fn keep(&mut self, features: &[f32]) -> Result<()> {
        self.spool.keep(features, self.layers, self.prefix).with_context(|| unkept(&self.beside))
    }

    /// Writes the videos.
    pub(super) fn draw(mut self) -> Result<Vec<Drawn>> {
        let mut drawn = Vec::new();
        if let Some(file) = self.pca {
            let components = Components::fit(&mut self.spool).with_context(|| unkept(&self.beside))?;
            let frames = self.film.write(&file, &mut self.spool, &|patch| components.colour(patch), None)?;
            drawn.push(Drawn { file, frames, explained: Some(components.explained()), lowest: None });
        }
        if let Some((file, patch)) = self.similarity {
            let token = patch[0] * self.film.columns() + patch[1];
            let similarity = Similarity::to(&mut self.spool, token).with_context(|| unkept(&self.beside))?;
            let frames = self.film.write(&file, &mut self.spool, &|it| similarity.colour(it), Some(patch))?;
            drawn.push(Drawn { file, frames, explained: None, lowest: Some(similarity.lowest()) });
        }
        Ok(drawn)
    }
}

fn unkept(path: &Path) -> String {
    format!("{}: features cannot be kept beside it until they are drawn", path.display())
}
