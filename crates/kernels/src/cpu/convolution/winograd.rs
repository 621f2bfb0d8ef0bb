//! Convolution with kernels of 3 x 3 and stride 1 by Winograd's minimal filtering F(2 x 2, 3 x 3) (Lavin and Gray 2015, "Fast Algorithms
//! for Convolutional Neural Networks", section 4.1): tiles of 2 x 2 pixels take 16 multiplications for each pair of channels, not 36.
//!
//! `Y = A^T [(G g G^T) (B^T d B)] A` for a kernel `g` and the 4 x 4 pixels `d` under a tile; the products over channels in the brackets,
//! one for each of the 16 places, take nearly all of the time.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::level::Work;
use super::super::product::write_numbers;
use super::super::scratch::with_scratch;
use super::super::vectors::{MOST_LANES, Unit, Vectors};
use super::super::{Activation, Matrix, Precision};
use super::correlation::Correlation;
use super::direct::WeightSums;
use super::padded::Padded;
use super::{Backward, Convolution, Finish, Forward, finish_channel};

/// Numbers of a transformed tile.
const PLACES: usize = 16;
/// Tiles that are multiplied together, about.
const TILES: usize = 128;
/// Channels below which transforming takes longer than it saves.
const FEWEST_CHANNELS: usize = 16;

/// Whether a convolution is done this way: in float32, with enough channels, and tiles that the image fills.
pub(super) fn suits<V: Vectors>(convolution: &Convolution, precision: Precision) -> bool {
    let Convolution { inputs, outputs, kernel, stride, padding, size, .. } = *convolution;
    let fits = |[height, width]: [usize; 2]| {
        let tiles = height.div_ceil(2) * width.div_ceil(2);
        tiles >= V::LANES && width.div_ceil(2) >= Quarter::<V>::LANES && 16 * tiles <= 5 * height * width
    };
    V::Unit::of_numbers(&[], precision).is_some()
        && kernel == [3, 3]
        && stride == [1, 1]
        && padding.iter().all(|padding| *padding <= 2)
        && inputs.min(outputs) >= FEWEST_CHANNELS
        && fits(size)
        && fits(convolution.output_size())
}

/// How a result is cut into tiles, and several of them into blocks.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    /// Height and width of the result.
    size: [usize; 2],
    /// Rows and columns of tiles.
    tiles: [usize; 2],
    /// Images whose tiles are multiplied together, and rows of tiles.
    images: usize,
    rows: usize,
}

/// Tiles of some images that are multiplied together.
#[derive(Clone, Debug)]
struct Block {
    images: Range<usize>,
    /// Rows of tiles.
    rows: Range<usize>,
}

impl Tiling {
    /// `images` is the most that may be multiplied together.
    fn new(size: [usize; 2], images: usize) -> Self {
        let tiles = size.map(|length| length.div_ceil(2));
        let images = (TILES / (tiles[0] * tiles[1])).clamp(1, images);
        let strips = (tiles[0] * tiles[1]).div_ceil(TILES).min(tiles[0]);
        Self { size, tiles, images, rows: tiles[0].div_ceil(strips) }
    }

    /// Tiles of a whole block, and room to the end of a vector.
    fn count(&self) -> usize {
        (self.images * self.rows * self.tiles[1]).next_multiple_of(MOST_LANES)
    }

    fn blocks(self, images: usize) -> impl Iterator<Item = Block> {
        (0..images).step_by(self.images).flat_map(move |first| {
            (0..self.tiles[0]).step_by(self.rows).map(move |row| Block {
                images: first..(first + self.images).min(images),
                rows: row..(row + self.rows).min(self.tiles[0]),
            })
        })
    }

    /// The place of the first tile of a row of tiles in a block.
    fn place(&self, block: &Block, image: usize, row: usize) -> usize {
        ((image - block.images.start) * self.rows + row - block.rows.start) * self.tiles[1]
    }
}

/// The image of a convolution between the zeros that its tiles need.
fn padded(channels: usize, size: [usize; 2], padding: [usize; 2], tiling: &Tiling) -> Padded {
    let [rows, columns] = tiling.tiles;
    Padded { planes: channels, size, margin: padding, rows: 2 * rows + 2, phases: 2, pitch: columns + 1 }
}

/// A convolution of images, with its transformed weights in order.
#[derive(Debug)]
pub(super) struct WinogradForward<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    image: Padded,
    outputs: usize,
    tiling: Tiling,
    /// One for each place.
    products: Vec<Correlation<V, ROWS, COLUMNS>>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> WinogradForward<V, ROWS, COLUMNS> {
    /// `images` is the most that may be worked on together.
    pub(super) fn new(convolution: &Convolution, images: usize, weight: &[f32]) -> Self {
        let Convolution { inputs, outputs, size, padding, .. } = *convolution;
        let weight = |output: usize, input: usize| {
            let (rows, _) = weight[(output * inputs + input) * 9..][..9].as_chunks::<3>();
            [rows[0], rows[1], rows[2]]
        };
        Self::with([inputs, outputs], weight, size, padding, Tiling::new(convolution.output_size(), images))
    }

    /// That whose result is the gradient of the image.
    fn of_gradient(convolution: &Convolution, images: usize, weight: &[f32]) -> Self {
        let Convolution { inputs, outputs, size, padding, .. } = *convolution;
        // The kernel turned by half a circle.
        let weight = |input: usize, output: usize| {
            let numbers = &weight[(output * inputs + input) * 9..][..9];
            [
                [numbers[8], numbers[7], numbers[6]],
                [numbers[5], numbers[4], numbers[3]],
                [numbers[2], numbers[1], numbers[0]],
            ]
        };
        let padding = padding.map(|padding| 2 - padding);
        Self::with([outputs, inputs], weight, convolution.output_size(), padding, Tiling::new(size, images))
    }

    fn with(
        [inputs, outputs]: [usize; 2],
        weight: impl Fn(usize, usize) -> [[f32; 3]; 3],
        size: [usize; 2],
        padding: [usize; 2],
        tiling: Tiling,
    ) -> Self {
        let mut transformed = vec![0.0; PLACES * outputs * inputs];
        for output in 0..outputs {
            for input in 0..inputs {
                let lines = weight(output, input).map(weight_line);
                for column in 0..4 {
                    let places = weight_line([lines[0][column], lines[1][column], lines[2][column]]);
                    for (row, number) in places.into_iter().enumerate() {
                        transformed[((row * 4 + column) * outputs + output) * inputs + input] = number;
                    }
                }
            }
        }
        let count = tiling.count();
        let product = |weights: &[f32]| {
            let place = |k: usize, kind: usize| (kind == 0).then_some(k);
            let offset = |k: usize| k * count;
            Correlation::new(Precision::Float32, [outputs, inputs], weights, inputs, place, offset, [1, count], count)
        };
        let products = transformed.chunks_exact(outputs * inputs).map(product).collect();
        Self { image: padded(inputs, size, padding, &tiling), outputs, tiling, products }
    }

    fn run(&self, images: &[f32], ahead: &[f32], finish: Finish<'_>) {
        let one = self.image.planes * self.image.size[0] * self.image.size[1];
        let (count, images) = (self.tiling.count(), images.chunks_exact(one).collect::<Vec<_>>());
        with_scratch(|scratch| {
            let sizes = [self.image.len() * self.tiling.images, PLACES * self.image.planes * count];
            let room = scratch.get::<f32>(sizes[0] + sizes[1] + PLACES * self.outputs * count);
            let (padded, room) = room.split_at_mut(sizes[0]);
            let (tiles, sums) = room.split_at_mut(sizes[1]);
            // SAFETY: the level says that the processor has the vectors.
            unsafe { V::enter(Run { forward: self, images: &images, ahead, padded, tiles, sums, finish }) };
        });
    }
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Forward for WinogradForward<V, ROWS, COLUMNS> {
    fn together(&self) -> usize {
        self.tiling.images
    }

    fn forward(&self, images: &[f32], ahead: &[f32], finish: Finish<'_>) {
        self.run(images, ahead, finish);
    }
}

/// Work of [`WinogradForward::run`].
struct Run<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    forward: &'a WinogradForward<V, ROWS, COLUMNS>,
    images: &'a [&'a [f32]],
    /// Images that are needed next.
    ahead: &'a [f32],
    padded: &'a mut [f32],
    /// `[PLACES, inputs, tiles]`
    tiles: &'a mut [f32],
    /// `[PLACES, outputs, tiles]`
    sums: &'a mut [f32],
    finish: Finish<'a>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Work for Run<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { forward, images, ahead, padded, tiles, sums, finish } = self;
        let Finish { bias, activation, mut inner, out, .. } = finish;
        let WinogradForward { image, outputs, tiling, products } = forward;
        let (count, [height, width]) = (tiling.count(), tiling.size);
        // Part of them with each product.
        let parts = PLACES * tiling.blocks(images.len()).count();
        let mut ahead = ahead.chunks(ahead.len().div_ceil(parts).max(1));
        for block in tiling.blocks(images.len()) {
            if block.rows.start == 0 {
                for (image, padded) in
                    images[block.images.clone()].iter().zip(padded.chunks_exact_mut(forward.image.len()))
                {
                    forward.image.fill_numbers::<V>(image, padded);
                }
            }
            transform_tiles::<V>(image, tiling, &block, padded, tiles);
            for ((product, tiles), sums) in products
                .iter()
                .zip(tiles.chunks_exact(image.planes * count))
                .zip(sums.chunks_exact_mut(outputs * count))
            {
                let Some(tiles) = V::Unit::of_numbers(tiles, Precision::Float32) else { continue };
                product.run(tiles, ahead.next().unwrap_or_default(), sums, |_, _, _| {});
            }
            for channel in 0..*outputs {
                for image in block.images.clone() {
                    for row in block.rows.clone() {
                        let rows = 2 * row..(2 * row + 2).min(height);
                        let first = (image * outputs + channel) * height * width;
                        let out = &mut out[first + rows.start * width..first + rows.end * width];
                        let place = channel * count + tiling.place(&block, image, row);
                        let columns = tiling.tiles[1];
                        // SAFETY: the work was entered with these vectors, which come with the shorter ones.
                        unsafe {
                            if columns >= V::LANES {
                                result_lines::<V>(sums, outputs * count, place, columns, width, out);
                            } else if columns >= V::Half::LANES {
                                result_lines::<V::Half>(sums, outputs * count, place, columns, width, out);
                            } else {
                                result_lines::<Quarter<V>>(sums, outputs * count, place, columns, width, out);
                            }
                        }
                    }
                    let first = (image * outputs + channel) * height * width;
                    let range = first + 2 * block.rows.start * width..first + (2 * block.rows.end).min(height) * width;
                    let inner = inner.as_mut().map(|inner| &mut inner[range.clone()]);
                    finish_channel::<FUSED>(bias.map(|bias| bias[channel]), activation, inner, &mut out[range]);
                }
            }
        }
    }
}

/// `G` times three numbers.
fn weight_line([a, b, c]: [f32; 3]) -> [f32; 4] {
    [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c]
}

/// `G^T` times four numbers.
fn weight_line_back([a, b, c, d]: [f32; 4]) -> [f32; 3] {
    [a + 0.5 * (b + c), 0.5 * (b - c), 0.5 * (b + c) + d]
}

/// `B^T` times four vectors.
///
/// # Safety
/// Work for these vectors was entered; so for all that follow.
#[inline(always)]
unsafe fn tile_line<V: Vectors>([a, b, c, d]: [V::Sums; 4]) -> [V::Sums; 4] {
    // SAFETY: the caller's.
    unsafe { [V::subtract(a, c), V::add(b, c), V::subtract(c, b), V::subtract(b, d)] }
}

/// `A^T` times four vectors.
#[inline(always)]
unsafe fn result_line<V: Vectors>([a, b, c, d]: [V::Sums; 4]) -> [V::Sums; 2] {
    // SAFETY: the caller's.
    unsafe { [V::add(V::add(a, b), c), V::subtract(V::subtract(b, c), d)] }
}

/// `A` times two vectors.
#[inline(always)]
unsafe fn gradient_line<V: Vectors>([a, b]: [V::Sums; 2]) -> [V::Sums; 4] {
    // SAFETY: the caller's.
    unsafe { [a, V::add(a, b), V::subtract(a, b), V::subtract(V::zero(), b)] }
}

/// Writes `B^T d B` of the tiles of a block, `[PLACES, channels, tiles]`. `padded` has its images.
#[inline(always)]
fn transform_tiles<V: Vectors>(image: &Padded, tiling: &Tiling, block: &Block, padded: &[f32], tiles: &mut [f32]) {
    let (count, columns) = (tiling.count(), tiling.tiles[1]);
    for channel in 0..image.planes {
        for index in block.images.clone() {
            for row in block.rows.clone() {
                let first = (index - block.images.start) * image.len() + image.place(channel, 2 * row, 0);
                let lines = [0, 1, 2, 3].map(|line| first + line * image.phases * image.pitch);
                let (place, pitch) = (channel * count + tiling.place(block, index, row), image.planes * count);
                // SAFETY: the work was entered with these vectors, which come with the shorter ones.
                unsafe {
                    if columns >= V::LANES {
                        tile_lines::<V>(padded, lines, image.pitch, columns, tiles, place, pitch);
                    } else if columns >= V::Half::LANES {
                        tile_lines::<V::Half>(padded, lines, image.pitch, columns, tiles, place, pitch);
                    } else {
                        tile_lines::<Quarter<V>>(padded, lines, image.pitch, columns, tiles, place, pitch);
                    }
                }
            }
        }
    }
}

/// Vectors of a quarter of the numbers.
type Quarter<V> = <<V as Vectors>::Half as Vectors>::Half;

/// Where vectors of `length` numbers start; the last one ends with the numbers.
#[inline(always)]
fn starts<V: Vectors>(length: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(V::LANES).map(move |start| start.min(length - V::LANES))
}

/// [`transform_tiles`] of a row of tiles, a vector of them at a time. `lines` are the four rows of pixels, the even columns of which stand
/// `odd` before the odd ones.
///
/// # Safety
/// Work for these vectors was entered.
#[inline(always)]
unsafe fn tile_lines<V: Vectors>(
    padded: &[f32],
    lines: [usize; 4],
    odd: usize,
    columns: usize,
    tiles: &mut [f32],
    place: usize,
    pitch: usize,
) {
    assert!(lines.iter().all(|line| line + odd + columns < padded.len()), "the pixels under tiles");
    assert!(columns >= V::LANES && place + (PLACES - 1) * pitch + columns <= tiles.len(), "room for tiles");
    for x in starts::<V>(columns) {
        // SAFETY: the tiles of a vector from `x` on are among the columns, whose pixels and places were found to be inside.
        unsafe {
            let line = |line: usize| {
                let (even, odd) = (padded.as_ptr().add(line + x), padded.as_ptr().add(line + odd + x));
                tile_line::<V>([V::read(even), V::read(odd), V::read(even.add(1)), V::read(odd.add(1))])
            };
            let (a, b, c, d) = (line(lines[0]), line(lines[1]), line(lines[2]), line(lines[3]));
            let start = tiles.as_mut_ptr().add(place + x);
            for column in 0..4 {
                let numbers = tile_line::<V>([a[column], b[column], c[column], d[column]]);
                for (row, numbers) in numbers.into_iter().enumerate() {
                    V::write(numbers, start.add((row * 4 + column) * pitch));
                }
            }
        }
    }
}

/// Writes `A^T m A` of a row of tiles, a vector of them at a time: two rows of pixels, or the first one if there is no second.
///
/// # Safety
/// Work for these vectors was entered.
#[inline(always)]
unsafe fn result_lines<V: Vectors>(
    sums: &[f32],
    pitch: usize,
    place: usize,
    columns: usize,
    width: usize,
    out: &mut [f32],
) {
    assert!(columns >= V::LANES && place + (PLACES - 1) * pitch + columns <= sums.len(), "the places of tiles");
    for x in starts::<V>(columns) {
        // SAFETY: the tiles of a vector from `x` on are among the columns, whose places were found to be inside; a vector that is longer
        // than the rest of its row goes through memory that has room for it.
        unsafe {
            let column = |column: usize| {
                let number = |row: usize| V::read(sums.as_ptr().add(place + x + (row * 4 + column) * pitch));
                result_line::<V>([number(0), number(1), number(2), number(3)])
            };
            let (a, b, c, d) = (column(0), column(1), column(2), column(3));
            for (row, out) in out.chunks_exact_mut(width).enumerate() {
                let [even, odd] = result_line::<V>([a[row], b[row], c[row], d[row]]);
                let out = &mut out[2 * x..];
                if out.len() >= 2 * V::LANES {
                    V::write_in_turn(even, odd, out.as_mut_ptr());
                } else {
                    let mut room = [0.0; 2 * MOST_LANES];
                    V::write_in_turn(even, odd, room.as_mut_ptr());
                    out.copy_from_slice(&room[..out.len()]);
                }
            }
        }
    }
}

/// The gradients of a convolution by transformed tiles.
#[derive(Debug)]
pub(super) struct WinogradBackward<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    inputs: usize,
    outputs: usize,
    image: Padded,
    tiling: Tiling,
    /// Where the channels of the tiles of an image begin.
    offsets: Vec<usize>,
    of_image: WinogradForward<V, ROWS, COLUMNS>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> WinogradBackward<V, ROWS, COLUMNS> {
    /// `images` is the most that may be worked on together.
    pub(super) fn new(convolution: &Convolution, images: usize, weight: &[f32]) -> Self {
        let Convolution { inputs, outputs, size, padding, .. } = *convolution;
        let tiling = Tiling::new(convolution.output_size(), images);
        Self {
            inputs,
            outputs,
            image: padded(inputs, size, padding, &tiling),
            tiling,
            offsets: (0..inputs).map(|input| input * tiling.count()).collect(),
            of_image: WinogradForward::of_gradient(convolution, images, weight),
        }
    }
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Backward for WinogradBackward<V, ROWS, COLUMNS> {
    fn together(&self) -> usize {
        self.tiling.images
    }

    /// `[PLACES, outputs / COLUMNS, inputs, COLUMNS]`
    fn sums(&self) -> usize {
        PLACES * self.outputs.next_multiple_of(COLUMNS) * self.inputs
    }

    fn add_weight_gradient(&self, images: &[f32], gradients: &[f32], sums: &mut [f32]) {
        let pixels = self.tiling.size[0] * self.tiling.size[1];
        let panels = self.outputs.next_multiple_of(COLUMNS);
        let one = self.image.planes * self.image.size[0] * self.image.size[1];
        let count = images.len() / one;
        with_scratch(|scratch| {
            let sizes = [
                self.image.len() * count,
                PLACES * self.inputs * self.tiling.count(),
                panels * pixels * count,
                PLACES * panels * self.tiling.count(),
            ];
            let (padded, room) = scratch.get::<f32>(sizes.iter().sum()).split_at_mut(sizes[0]);
            let (tiles, room) = room.split_at_mut(sizes[1]);
            let (gradient_panels, gradient_tiles) = room.split_at_mut(sizes[2]);
            for (image, padded) in images.chunks_exact(one).zip(padded.chunks_exact_mut(self.image.len())) {
                self.image.fill_numbers::<V>(image, padded);
            }
            let each =
                gradients.chunks_exact(self.outputs * pixels).zip(gradient_panels.chunks_exact_mut(panels * pixels));
            for (gradient, panels) in each {
                write_numbers::<V, COLUMNS>(Matrix::new(gradient, self.outputs, pixels).transposed(), panels);
            }
            let work =
                AddWeightGradient { backward: self, count, padded, tiles, gradient_panels, gradient_tiles, sums };
            // SAFETY: the level says that the processor has the vectors.
            unsafe { V::enter(work) };
        });
    }

    fn put_in_order(&self, sums: &[f32], out: &mut [f32]) {
        let place = self.outputs.next_multiple_of(COLUMNS) * self.inputs;
        let (kernels, _) = out.as_chunks_mut::<9>();
        for (index, kernel) in kernels.iter_mut().enumerate() {
            let (output, input) = (index / self.inputs, index % self.inputs);
            let first = (output / COLUMNS * self.inputs + input) * COLUMNS + output % COLUMNS;
            let number = |row: usize, column: usize| sums[(row * 4 + column) * place + first];
            let lines: [[f32; 3]; 4] = std::array::from_fn(|column| {
                weight_line_back([number(0, column), number(1, column), number(2, column), number(3, column)])
            });
            for (row, numbers) in kernel.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                *numbers = weight_line_back([lines[0][row], lines[1][row], lines[2][row], lines[3][row]]);
            }
        }
    }

    fn x_gradient(&self, gradients: &[f32], out: &mut [f32]) {
        let pixels = self.of_image.tiling.size[0] * self.of_image.tiling.size[1];
        self.of_image.run(
            gradients,
            &[],
            Finish { bias: None, activation: Activation::Identity, pixels, inner: None, out },
        );
    }
}

/// Work of [`WinogradBackward::add_weight_gradient`].
struct AddWeightGradient<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    backward: &'a WinogradBackward<V, ROWS, COLUMNS>,
    /// Images.
    count: usize,
    padded: &'a [f32],
    /// `[PLACES, inputs, tiles]`
    tiles: &'a mut [f32],
    /// `[images, outputs / COLUMNS, pixels, COLUMNS]`
    gradient_panels: &'a [f32],
    /// `[PLACES, outputs / COLUMNS, tiles, COLUMNS]`
    gradient_tiles: &'a mut [f32],
    sums: &'a mut [f32],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Work for AddWeightGradient<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { backward, count, padded, tiles, gradient_panels, gradient_tiles, sums } = self;
        let WinogradBackward { inputs, outputs, image, tiling, offsets, .. } = backward;
        let (length, pixels) = (tiling.count(), tiling.size[0] * tiling.size[1]);
        let panels = outputs.div_ceil(COLUMNS);
        for block in tiling.blocks(count) {
            transform_tiles::<V>(image, tiling, &block, &padded[block.images.start * image.len()..], tiles);
            let used = tiling.place(&block, block.images.end - 1, block.rows.end - 1) + tiling.tiles[1];
            for panel in 0..panels {
                for image in block.images.clone() {
                    let gradient = &gradient_panels[(image * panels + panel) * pixels * COLUMNS..][..pixels * COLUMNS];
                    for row in block.rows.clone() {
                        let place = panel * length + tiling.place(&block, image, row);
                        let tiles = &mut gradient_tiles[place * COLUMNS..];
                        // SAFETY: the work was entered with these vectors.
                        unsafe { gradient_lines::<V, COLUMNS>(gradient, tiling, row, tiles, panels * length) };
                    }
                }
            }
            let each = tiles.chunks_exact(inputs * length).zip(gradient_tiles.chunks_exact(panels * length * COLUMNS));
            for ((tiles, gradients), sums) in each.zip(sums.chunks_exact_mut(panels * inputs * COLUMNS)) {
                let numbers = |numbers| V::Unit::of_numbers(numbers, Precision::Float32);
                let (Some(image), Some(panels)) = (numbers(tiles), numbers(gradients)) else { continue };
                let extent = [1, length];
                WeightSums::<V> { image, pitch: 0, offsets, panels, extent, used: [1, used] }
                    .add::<ROWS, COLUMNS>(sums);
            }
        }
    }
}

/// Writes `A y A^T` of a row of tiles, for `COLUMNS` channels of the result each: places are `pitch` of these apart.
///
/// # Safety
/// Work for these vectors was entered, two of which are `COLUMNS` numbers.
#[inline(always)]
unsafe fn gradient_lines<V: Vectors, const COLUMNS: usize>(
    gradient: &[f32],
    tiling: &Tiling,
    row: usize,
    tiles: &mut [f32],
    pitch: usize,
) {
    let [height, width] = tiling.size;
    let (gradient, _) = gradient.as_chunks::<COLUMNS>();
    let (tiles, _) = tiles.as_chunks_mut::<COLUMNS>();
    let line = |y: usize| if y < height { &gradient[y * width..][..width] } else { &[] };
    let (first, second) = (line(2 * row), line(2 * row + 1));
    for x in 0..tiling.tiles[1] {
        let tiles = &mut tiles[x..][..=(PLACES - 1) * pitch];
        for half in [0, V::LANES] {
            // SAFETY: each pixel has two vectors.
            unsafe {
                let pixel = |line: &[[f32; COLUMNS]], x: usize| {
                    line.get(x).map_or(V::zero(), |numbers| V::read(numbers.as_ptr().add(half)))
                };
                let even = gradient_line::<V>([pixel(first, 2 * x), pixel(second, 2 * x)]);
                let odd = gradient_line::<V>([pixel(first, 2 * x + 1), pixel(second, 2 * x + 1)]);
                for line in 0..4 {
                    let numbers = gradient_line::<V>([even[line], odd[line]]);
                    for (column, numbers) in numbers.into_iter().enumerate() {
                        V::write(numbers, tiles[(line * 4 + column) * pitch].as_mut_ptr().add(half));
                    }
                }
            }
        }
    }
}
