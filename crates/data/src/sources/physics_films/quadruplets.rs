//! Matched films, possible and impossible, for measuring surprise.

use std::path::Path;

use prevision_core::seed;

use super::PhysicsFilmsOptions;
use super::scene::Scene;
use crate::DataError;
use crate::films::{FilmLabels, write_films};

/// What the labels call these films.
const BLOCK: &str = "permanence_moving";
/// Whether the object is there before and after it passes the occluder: two possible films, then two impossible ones.
const PRESENT: [[bool; 2]; 4] = [[true, true], [false, false], [true, false], [false, true]];

/// Writes `films.npz` and `labels.json` of so many quadruplets into a folder: of each scene a film in which an object passes behind the
/// occluder, one without an object, and two impossible ones, in which it vanishes behind the occluder or comes out from behind it without
/// having gone there. Every frame of the impossible ones is a frame of one of the possible ones. With an even number of quadruplets and
/// `lamps` 0.5, about half have a lamp; `objects` and `videos` have no meaning here. Scenes are not those that training with this seed
/// draws. Returns the number of films.
///
/// # Errors
/// If the folder is there and not empty, or something cannot be written.
pub fn write_quadruplets(
    out: &Path,
    options: &PhysicsFilmsOptions,
    quadruplets: usize,
    seed: u64,
) -> Result<usize, DataError> {
    let mut labels = Vec::new();
    let mut pixels = Vec::new();
    for quad in 0..quadruplets {
        let scene = Scene::draw(options, &mut seed::rng(seed, "physics-films quadruplets", 0, quad as u64));
        for [before, after] in PRESENT {
            labels.push(FilmLabels {
                i: labels.len(),
                block: BLOCK.to_owned(),
                quad,
                a: Some(i64::from(before)),
                b: Some(i64::from(after)),
                possible: before == after,
                lamp: Some(scene.has_lamp()),
            });
            let frames = scene.render(0, 1, options.length, [before, after]);
            pixels.extend(frames.data.iter().step_by(3));
        }
    }
    let shape = [labels.len(), options.length, options.canvas, options.canvas];
    write_films(out, shape, &pixels, &labels)?;
    Ok(labels.len())
}
