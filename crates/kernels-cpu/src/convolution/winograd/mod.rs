//! Convolution with kernels of 3 x 3 and stride 1 by Winograd's minimal filtering F(2 x 2, 3 x 3) (Lavin and Gray 2015, "Fast Algorithms
//! for Convolutional Neural Networks", section 4.1): tiles of 2 x 2 pixels take 16 multiplications for each pair of channels, not 36.
//!
//! `Y = A^T [(G g G^T) (B^T d B)] A` for a kernel `g` and the 4 x 4 pixels `d` under a tile; the products over channels in the brackets,
//! one for each of the 16 places, take nearly all of the time.

mod backward;
mod forward;
mod transforms;

use std::ops::Range;

use super::super::Precision;
use super::super::vectors::{Element, MOST_LANES, Vectors};
use super::Convolution;
use super::padded::Padded;

pub(super) use backward::WinogradBackward;
pub(super) use forward::WinogradForward;
use transforms::Quarter;

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
    V::Element::of_numbers(&[], precision).is_some()
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

    /// Numbers from one place of the tiles of some channels to the next. A transformed tile has a number in each: places that are powers of two
    /// apart would share the same few lines of the first cache.
    fn pitch(&self, channels: usize) -> usize {
        channels * self.count() + MOST_LANES
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
