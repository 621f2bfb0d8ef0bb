//! Normalised latents, as prediction targets.

use burn::tensor::Tensor;

/// What is added to the variance (PyTorch's `layer_norm` default).
const EPSILON: f64 = 1e-5;

/// Normalises every latent to mean 0 and variance 1 over its own dimensions: a layer norm without affine parameters, epsilon 1e-5
/// (V-JEPA 2, `app/vjepa/train.py`, on the targets).
///
/// # Shapes
/// - latents, output: `[batch, time or tokens, dim]`
pub fn normalise_latents(latents: Tensor<3>) -> Tensor<3> {
    let centred = latents.clone() - latents.mean_dim(2);
    let variance = centred.clone().square().mean_dim(2);
    centred / (variance + EPSILON).sqrt()
}
