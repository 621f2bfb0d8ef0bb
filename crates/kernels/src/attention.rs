//! Multi-head self-attention.

use burn::tensor::module::attention as plain_attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Tensor, TensorData};

use crate::array::Array;
use crate::cpu::Runtime;
use crate::cpu::attention::{Attention, Mask as CpuMask, Rotation as CpuRotation};
use crate::operation::{Operation, apply, runs_on};
use crate::operations::count_products;

/// Rotary positions: channels `(2 k, 2 k + 1)` of queries and keys are rotated, `y = x cosine + (-x[2 k + 1], x[2 k])
/// sine`.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// `[batch or 1, tokens, head_dim]`
    pub cosine: Tensor<3>,
    /// `[batch or 1, tokens, head_dim]`
    pub sine: Tensor<3>,
}

/// Which keys a query sees: always some that follow each other.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "made once for all blocks of an encoder, and seen by reference")]
pub enum Mask {
    /// All.
    Full,
    /// Token `i` sees the tokens of its block of this many tokens, and of all blocks before. 1 is causal attention.
    BlockCausal(usize),
    /// Every token sees those from a first one up to another, which it does not see, `[batch or 1, tokens, 2]`: whole numbers.
    Between(Tensor<3>),
}

/// Mixes the values by `softmax(query key / sqrt(head_dim))`, head by head.
///
/// No gradient flows into the rotation or the mask.
///
/// # Shapes
/// - qkv: `[batch, tokens, 3 * heads * head_dim]`: queries, keys, values, each split into heads
/// - output: `[batch, tokens, heads * head_dim]`
///
/// # Panics
/// If the last axis is not three times a multiple of `heads`.
pub fn attention(qkv: Tensor<3>, heads: usize, mask: &Mask, rotation: Option<&Rotation>) -> Tensor<3> {
    let [batch, tokens, width] = qkv.dims();
    assert!(width.is_multiple_of(3 * heads), "{width} channels of queries, keys and values for {heads} heads");
    // Scores, and values by scores. What a mask hides is counted too.
    count_products(2 * batch * heads, [tokens, width / 3 / heads, tokens]);
    if !runs_on(&qkv) {
        return composed(qkv, heads, mask, rotation);
    }
    let kind = match mask {
        Mask::Full => MaskKind::Full,
        Mask::BlockCausal(block) => MaskKind::BlockCausal(*block),
        Mask::Between(_) => MaskKind::Between,
    };
    let operation = AttentionOperation { heads, mask: kind, rotation: rotation.is_some() };
    let mut inputs = vec![qkv.into_dispatch()];
    if let Some(Rotation { cosine, sine }) = rotation {
        inputs.extend([cosine, sine].map(|table| table.clone().into_dispatch()));
    }
    if let Mask::Between(bounds) = mask {
        inputs.push(bounds.clone().into_dispatch());
    }
    apply(inputs, operation)
}

/// The same as operations of Burn.
pub(crate) fn composed(qkv: Tensor<3>, heads: usize, mask: &Mask, rotation: Option<&Rotation>) -> Tensor<3> {
    let [batch, tokens, width] = qkv.dims();
    let head_dim = width / 3 / heads;
    let device = qkv.device();
    let qkv = qkv.reshape([batch, tokens, 3 * heads, head_dim]).swap_dims(1, 2);
    let part = |index: usize| qkv.clone().narrow(1, index * heads, heads);
    let rotate = |x: Tensor<4>| match rotation {
        Some(Rotation { cosine, sine }) => {
            let pairs: Tensor<5> = x.clone().reshape([batch, heads, tokens, head_dim / 2, 2]);
            let (even, odd) = (pairs.clone().narrow(4, 0, 1), pairs.narrow(4, 1, 1));
            let partner = Tensor::cat(vec![-odd, even], 4).reshape([batch, heads, tokens, head_dim]);
            x * cosine.clone().unsqueeze_dim(1) + partner * sine.clone().unsqueeze_dim(1)
        }
        None => x,
    };
    let hidden = |block: usize| {
        let later = |token: usize| (0..tokens).map(move |key| key >= (token / block + 1) * block);
        let flags: Vec<bool> = (0..tokens).flat_map(later).collect();
        let hidden = Tensor::<4, Bool>::from_data(TensorData::new(flags, [1, 1, tokens, tokens]), &device);
        hidden.expand([batch, heads, tokens, tokens])
    };
    let (hidden, is_causal) = match mask {
        Mask::Full => (None, false),
        Mask::BlockCausal(1) => (None, true),
        Mask::BlockCausal(block) => (Some(hidden(*block)), false),
        Mask::Between(bounds) => {
            let all = [batch, heads, tokens, tokens];
            let keys = Tensor::arange(0..tokens as i64, &device).float().reshape([1, 1, 1, tokens]).expand(all);
            let bound = |side: usize| bounds.clone().narrow(2, side, 1).unsqueeze_dim::<4>(1).expand(all);
            (Some(keys.clone().lower(bound(0)).bool_or(keys.greater_equal(bound(1)))), false)
        }
    };
    let options = AttentionModuleOptions { is_causal, ..AttentionModuleOptions::default() };
    let mixed = plain_attention(rotate(part(0)), rotate(part(1)), part(2), hidden, None, options);
    mixed.swap_dims(1, 2).reshape([batch, tokens, width / 3])
}

/// A [`Mask`] whose numbers are an input.
#[derive(Clone, Copy, Debug)]
enum MaskKind {
    Full,
    BlockCausal(usize),
    Between,
}

/// Inputs: qkv, then cosine and sine if it rotates, then the bounds of a mask that has such.
#[derive(Debug)]
struct AttentionOperation {
    heads: usize,
    mask: MaskKind,
    rotation: bool,
}

impl AttentionOperation {
    /// `values` gives the numbers of an input.
    fn attention<'a>(&self, qkv: &Array, values: impl Fn(usize) -> &'a [f32]) -> Attention<'a> {
        let [batch, tokens, width] = qkv.shape().dims();
        let mask = match self.mask {
            MaskKind::Full => CpuMask::Full,
            MaskKind::BlockCausal(block) => CpuMask::BlockCausal(block),
            MaskKind::Between => CpuMask::Between(values(if self.rotation { 3 } else { 1 })),
        };
        let rotation = self.rotation.then(|| CpuRotation { cosine: values(1), sine: values(2) });
        Attention { batch, tokens, heads: self.heads, head_dim: width / 3 / self.heads, mask, rotation }
    }
}

impl Operation for AttentionOperation {
    fn forward(&self, runtime: Runtime, inputs: &[Array], training: bool) -> (Array, Vec<Array>) {
        let qkv = &inputs[0];
        let attention = self.attention(qkv, |index| inputs[index].values());
        let [batch, tokens, width] = qkv.shape().dims();
        let (logarithms, out) = Array::filled_with([batch, self.heads, tokens], |logarithms| {
            Array::filled([batch, tokens, width / 3], |out| {
                attention.forward(runtime.level, runtime.precision, qkv.values(), out, logarithms);
            })
        });
        let kept = if training { vec![out.clone(), logarithms] } else { Vec::new() };
        (out, kept)
    }

    fn needs(&self, _: usize) -> bool {
        true
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        wanted: &[bool],
    ) -> Vec<Option<Array>> {
        if !wanted[0] {
            return vec![None];
        }
        let values = |index: usize| inputs[index].as_ref().map_or(&[][..], Array::values);
        let Some(qkv) = &inputs[0] else { unreachable!("it is needed") };
        let attention = self.attention(qkv, values);
        vec![Some(Array::filled(qkv.shape(), |out| {
            attention.backward(
                runtime.level,
                runtime.precision,
                qkv.values(),
                kept[0].values(),
                kept[1].values(),
                gradient.values(),
                out,
            );
        }))]
    }
}
