//! Lists of token ids on the device.

use burn::tensor::{Device, Tensor, TensorData};
pub use prevision_kernels::{TokenIds, gather_tokens};

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
