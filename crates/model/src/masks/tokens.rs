//! Lists of token ids on the device.

use burn::tensor::{Device, Int, Tensor, TensorData, assert_shape};

/// Token ids of each sample, ascending: `[batch, n]`. Token `id` of a grid `[time, height, width]` is at time `id / (height * width)`,
/// row `id % (height * width) / width`, column `id % width`.
pub type TokenIds = Tensor<2, Int>;

/// Puts lists of equal length on the device.
///
/// # Shapes
/// - output: `[lists, length]`
///
/// # Panics
/// If the lists differ in length or there are none.
pub fn token_ids(lists: &[Vec<usize>], device: &Device) -> TokenIds {
    let length = lists.first().expect("at least one list of token ids").len();
    let mut values = Vec::with_capacity(lists.len() * length);
    for list in lists {
        assert_eq!(list.len(), length, "lists of token ids in one batch have one length");
        values.extend(list.iter().map(|&id| id as i64));
    }
    Tensor::from_data(TensorData::new(values, [lists.len(), length]), device)
}

/// Picks rows of each sample.
///
/// # Shapes
/// - tokens: `[batch, n, dim]`
/// - ids: `[batch, m]`, in `0..n`
/// - output: `[batch, m, dim]`
pub fn gather_tokens(tokens: Tensor<3>, ids: &TokenIds) -> Tensor<3> {
    let [batch, n, dim] = tokens.dims();
    let [_, m] = ids.dims();
    assert_shape!(ids, [batch, _]);
    let offsets: TokenIds =
        Tensor::<1, Int>::arange(0..batch as i64, &ids.device()).mul_scalar(n as i64).unsqueeze_dim(1);
    let rows = (ids.clone() + offsets).reshape([batch * m]);
    tokens.reshape([batch * n, dim]).select(0, rows).reshape([batch, m, dim])
}
