//! Rollouts in a sliding window of latents.

use std::ops::Range;

use burn::tensor::Tensor;

use crate::video_vit::Attention;

/// Some latents that a predictor looks at.
pub(super) struct Window {
    /// Those that it has not seen in their places yet, `[batch, n, dim]`.
    pub(super) latents: Tensor<3>,
    /// The place of the first of them in the window.
    pub(super) place: usize,
    /// Which moments they are of, counted from the first latent.
    pub(super) moments: Range<usize>,
}

/// Predicts one latent after another with a sliding window of at most `history` latents; gives those of each step, `[batch, dim]`. While the
/// window grows, what its latents are is kept (queries, keys and values of each of so many blocks), and only the new one goes through the
/// blocks; once it slides, every latent has another place in it.
///
/// # Shapes
/// - start: `[batch, first, dim]`
/// - length: actions there are, `first - 1` of them before the present
/// - predict: the latent after the last of a window, `[batch, 1, dim]`
pub(super) fn slide(
    start: Tensor<3>,
    length: usize,
    history: usize,
    blocks: usize,
    mut predict: impl FnMut(Window, &mut [Option<Tensor<3>>]) -> Tensor<3>,
) -> Vec<Tensor<2>> {
    let [batch, first, dim] = start.dims();
    let mut kept = vec![None; blocks];
    let (mut latents, mut predictions) = (start, Vec::with_capacity(length + 1 - first));
    for present in first..=length {
        let begin = present.saturating_sub(history);
        let known = if present == first || begin > 0 { begin } else { present - 1 };
        if known == begin {
            kept.fill(None);
        }
        let new = latents.clone().narrow(1, known, present - known);
        let next = predict(Window { latents: new, place: known - begin, moments: known..present }, &mut kept);
        predictions.push(next.clone().reshape([batch, dim]));
        latents = Tensor::cat(vec![latents, next], 1);
    }
    predictions
}

/// Causal attention of a window's latents. `kept` has queries, keys and values of those before the new ones, and takes those of the new.
///
/// # Shapes
/// - new: `[batch, n, 3 * heads * head_width]`
/// - output: `[batch, kept + n, heads * head_width]`
pub(super) fn attend(attention: &Attention, new: Tensor<3>, kept: &mut Option<Tensor<3>>) -> Tensor<3> {
    let all = match kept.take() {
        Some(before) => Tensor::cat(vec![before, new], 1),
        None => new,
    };
    let mixed = attention.mix_causal(all.clone());
    *kept = Some(all);
    mixed
}

/// What moments have, one after the other, in one tensor.
pub(super) fn together(mut moments: Vec<Tensor<3>>) -> Tensor<3> {
    if moments.len() == 1 { moments.remove(0) } else { Tensor::cat(moments, 1) }
}

/// The last `wanted` moments.
pub(super) fn last(values: Tensor<3>, wanted: usize) -> Tensor<3> {
    let known = values.dims()[1];
    if known == wanted { values } else { values.narrow(1, known - wanted, wanted) }
}
