//! Lists of tokens, and the tokens they name.

use burn::tensor::{Int, Tensor, assert_shape};

/// Token ids of each sample: `[batch, n]`. Token `id` of a grid `[time, height, width]` is at time `id / (height * width)`,
/// row `id % (height * width) / width`, column `id % width`.
pub type TokenIds = Tensor<2, Int>;

/// Picks rows of each sample.
///
/// # Shapes
/// - tokens: `[batch, n, dim]`
/// - ids: `[batch, m]`, in `0..n`
/// - output: `[batch, m, dim]`
///
/// # Panics
/// If there is not a list for each sample.
pub fn gather_tokens(tokens: Tensor<3>, ids: &TokenIds) -> Tensor<3> {
    let [batch, n, dim] = tokens.dims();
    let [_, m] = ids.dims();
    assert_shape!(ids, [batch, _]);
    let offsets: TokenIds =
        Tensor::<1, Int>::arange(0..batch as i64, &ids.device()).mul_scalar(n as i64).unsqueeze_dim(1);
    let rows = (ids.clone() + offsets).reshape([batch * m]);
    tokens.reshape([batch * n, dim]).select(0, rows).reshape([batch, m, dim])
}
