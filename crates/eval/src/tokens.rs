//! The tokens of latents that keep where things are.

use prevision_model::ActionJepa;

use crate::Latents;

/// Every token of every latent, as its deviation from the mean of its place, row by row; and the length of a token. A latent that
/// is one vector is one token, and stays as it is.
///
/// # Shapes
/// - latents: `[clips, steps, dim]`; the static part, if any, first
/// - output: `[clips * steps * places, channels]`, static channels first
pub(crate) fn tokens(model: &ActionJepa, latents: &Latents) -> (Vec<f32>, usize) {
    let [rows, columns] = model.encoder.grid();
    let (places, fixed, dim) = (rows * columns, model.static_dim(), latents.dim());
    if places == 1 {
        return (latents.values().to_vec(), dim);
    }
    let mut mean = vec![0.0_f64; dim];
    for row in latents.rows() {
        mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let count = latents.rows().len() as f64;
    let (still, moving) = (fixed / places, (dim - fixed) / places);
    let mut values = Vec::with_capacity(latents.values().len());
    for row in latents.rows() {
        let deviation = |index: usize| row[index] - (mean[index] / count) as f32;
        for place in 0..places {
            values.extend((place * still..(place + 1) * still).map(deviation));
            values.extend((fixed + place * moving..fixed + (place + 1) * moving).map(deviation));
        }
    }
    (values, still + moving)
}
