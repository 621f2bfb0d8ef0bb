//! Layers of convolutions, a few images on one thread from the first to the last.

use super::super::parallel::{collect, each};

use super::super::scratch::with_scratch;
use super::super::vectors::{Vectors, WithVectors, with_vectors};
use super::super::{Level, Precision};
use super::{Finish, Forward, Layer, together, vectors_of};

/// Where a layer's numbers go, `[batch, outputs, height, width]`.
#[derive(Debug, Default)]
pub struct Results<'a> {
    /// The values before the activation, if they are wanted.
    pub inner: Option<&'a mut [f32]>,
    /// The result; the last layer's is always wanted.
    pub out: Option<&'a mut [f32]>,
}

/// Writes the results of layers that follow each other, of `x`, `[batch, inputs, height, width]`.
///
/// # Panics
/// If the shapes do not fit.
pub fn forward(level: Level, precision: Precision, layers: &[Layer<'_>], x: &[f32], results: Vec<Results<'_>>) {
    assert_eq!(layers.len(), results.len(), "results for the layers");
    let Some(Layer { sizes: first, .. }) = layers.first() else { return };
    if x.is_empty() && first.image() > 0 {
        return;
    }
    layers.iter().for_each(Layer::check);
    let batch = x.len() / first.image();
    assert_eq!(x.len(), batch * first.image(), "whole images");
    assert!(results.last().is_some_and(|results| results.out.is_some()), "room for the result");
    for (Layer { sizes, .. }, Results { inner, out }) in layers.iter().zip(&results) {
        for numbers in [inner, out].into_iter().flatten() {
            assert_eq!(numbers.len(), batch * sizes.result(), "as many results as images");
        }
    }
    for pair in layers.windows(2) {
        let ([before, after], sizes) = ([pair[0].sizes, pair[1].sizes], pair[1].sizes.size);
        assert!(before.outputs == after.inputs && before.output_size() == sizes, "layers that follow each other");
    }
    with_vectors(vectors_of(level), precision, ForwardAll { level, precision, layers, batch, x, results });
}

/// [`forward`] on vectors.
struct ForwardAll<'a> {
    level: Level,
    precision: Precision,
    layers: &'a [Layer<'a>],
    batch: usize,
    x: &'a [f32],
    results: Vec<Results<'a>>,
}

impl WithVectors for ForwardAll<'_> {
    type Output = ();

    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) {
        let Self { level, precision, layers, batch, x, results } = self;
        let together = together(batch);
        let methods: Vec<Box<dyn Forward>> =
            collect(layers, |layer| layer.forward::<V, ROWS, COLUMNS>(level, precision, [together, batch]));
        let together = methods.iter().map(|method| method.together()).max().unwrap_or(1);
        let mut tasks: Vec<Vec<Results<'_>>> = (0..batch.div_ceil(together)).map(|_| Vec::new()).collect();
        for (Layer { sizes, .. }, Results { inner, out }) in layers.iter().zip(results) {
            let parts = |numbers| parts(numbers, together * sizes.result(), batch.div_ceil(together));
            for (task, (inner, out)) in tasks.iter_mut().zip(parts(inner).into_iter().zip(parts(out))) {
                task.push(Results { inner, out });
            }
        }
        let size = together * layers[0].sizes.image();
        each(tasks.into_iter().enumerate(), |(index, results)| {
            let (images, ahead) = x[index * size..].split_at(size.min(x.len() - index * size));
            through(layers, &methods, images, &ahead[..size.min(ahead.len())], results);
        });
    }
}

/// Cuts numbers into parts of this size, or as many times nothing.
pub(super) fn parts(numbers: Option<&mut [f32]>, size: usize, count: usize) -> Vec<Option<&mut [f32]>> {
    match numbers {
        Some(numbers) if size > 0 => numbers.chunks_mut(size).map(Some).collect(),
        _ => (0..count).map(|_| None).collect(),
    }
}

/// Takes some images through all layers. `ahead` is the images that are needed next.
fn through(
    layers: &[Layer<'_>],
    methods: &[Box<dyn Forward + '_>],
    images: &[f32],
    ahead: &[f32],
    results: Vec<Results<'_>>,
) {
    let count = images.len() / layers[0].sizes.image();
    let buffer = |(layer, results): (&Layer<'_>, &Results<'_>)| {
        if results.out.is_some() { 0 } else { count * layer.sizes.result() }
    };
    let buffer = layers.iter().zip(&results).map(buffer).max().unwrap_or(0);
    with_scratch(|scratch| {
        let (mut source, mut target) = scratch.get::<f32>(2 * buffer).split_at_mut(buffer);
        // Where the images are that a layer reads: here, or else in `source`.
        let mut kept = Some(images);
        for (index, ((layer, method), Results { inner, out })) in layers.iter().zip(methods).zip(results).enumerate() {
            let images = kept.unwrap_or_else(|| &source[..count * layer.sizes.image()]);
            let ahead = if index == 0 { ahead } else { &[] };
            if let Some(out) = out {
                one_layer(layer, method.as_ref(), images, ahead, inner, out);
                kept = Some(out);
            } else {
                one_layer(layer, method.as_ref(), images, ahead, inner, &mut target[..count * layer.sizes.result()]);
                kept = None;
                std::mem::swap(&mut source, &mut target);
            }
        }
    });
}

/// Takes some images through a layer.
fn one_layer(
    Layer { sizes, bias, .. }: &Layer<'_>,
    method: &dyn Forward,
    images: &[f32],
    ahead: &[f32],
    inner: Option<&mut [f32]>,
    out: &mut [f32],
) {
    if out.is_empty() {
        return;
    }
    let (pixels, activation) = (sizes.pixels(), sizes.activation);
    let size = method.together() * sizes.image();
    let results = method.together() * sizes.result();
    let mut ahead = ahead.chunks(size);
    let inner = parts(inner, results, images.len().div_ceil(size));
    for ((images, out), inner) in images.chunks(size).zip(out.chunks_mut(results)).zip(inner) {
        let finish = Finish { bias: *bias, activation, pixels, inner, out };
        method.forward(images, ahead.next().unwrap_or_default(), finish);
    }
}
