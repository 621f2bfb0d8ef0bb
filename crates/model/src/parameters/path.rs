//! What a parameter is called, and how it lies in a file.

/// The path of a parameter in a module, in `PyTorch`'s words, for example `encoder.blocks.0.attn.qkv.weight`.
///
/// - The fields that lead to the parameter, joined by dots; items of a list by their number.
/// - Variants of an enum have no part in it: which encoder it is changes no name.
/// - Norms have `weight` and `bias`, as in `PyTorch`, where Burn has `gamma` and `beta`. The gated recurrent unit has the names of
///   `torch.nn.GRU`.
///
/// A layer is known by the name of its type, as in Burn's own store.
#[derive(Debug, Default)]
pub struct ParameterPath {
    text: String,
    /// Length of the text before each part that was entered.
    lengths: Vec<usize>,
    transposed: bool,
}

impl ParameterPath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `PyTorch` holds the transpose of this matrix: linear layers are `[inputs, outputs]` in memory, and
    /// `[outputs, inputs]` in `PyTorch` and in files.
    pub fn is_transposed(&self) -> bool {
        self.transposed
    }

    /// The shape that the parameter has in `PyTorch` and in files, of that in memory.
    pub fn stored_shape(&self, shape: &[usize]) -> Vec<usize> {
        let mut shape = shape.to_vec();
        if self.transposed {
            shape.reverse();
        }
        shape
    }

    /// Goes into a field; `container` is what Burn calls the type it is a field of.
    pub(super) fn enter(&mut self, name: &str, container: &str) {
        self.lengths.push(self.text.len());
        self.transposed = false;
        if container.starts_with("Enum:") {
            return;
        }
        let (name, transposed) = in_pytorch(container, name);
        if !self.text.is_empty() {
            self.text.push('.');
        }
        self.text.push_str(name);
        self.transposed = transposed;
    }

    /// Leaves the field that was entered last.
    pub(super) fn exit(&mut self) {
        self.text.truncate(self.lengths.pop().unwrap_or(0));
    }
}

/// What `PyTorch` calls a field of a layer, and whether the matrix is the transpose of ours.
fn in_pytorch<'a>(container: &str, field: &'a str) -> (&'a str, bool) {
    match (container.strip_prefix("Struct:").unwrap_or_default(), field) {
        ("Linear", "weight") => (field, true),
        ("LayerNorm" | "BatchNorm" | "GroupNorm" | "InstanceNorm" | "RmsNorm", "gamma") => ("weight", false),
        ("LayerNorm" | "BatchNorm" | "GroupNorm" | "InstanceNorm" | "RmsNorm", "beta") => ("bias", false),
        ("Gru", "weight_input") => ("weight_ih_l0", true),
        ("Gru", "weight_hidden") => ("weight_hh_l0", true),
        ("Gru", "bias_input") => ("bias_ih_l0", false),
        ("Gru", "bias_hidden") => ("bias_hh_l0", false),
        _ => (field, false),
    }
}
