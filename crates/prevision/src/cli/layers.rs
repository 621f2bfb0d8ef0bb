//! `--layers`: after which blocks of an encoder features are taken.

use super::Usage;

/// Checks that an encoder of `depth` blocks has these, in ascending order.
///
/// # Errors
/// A sentence with the option, its value and what is expected.
pub(crate) fn check(layers: &[usize], depth: usize) -> Result<(), Usage> {
    if let Some(layer) = layers.iter().find(|layer| **layer > depth) {
        return Err(Usage(format!("--layers {layer}: the model has {depth} blocks")));
    }
    if !layers.is_sorted() {
        return Err(Usage("--layers: expected in ascending order".to_owned()));
    }
    Ok(())
}
