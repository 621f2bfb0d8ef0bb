//! Convolutions in bfloat16 on tiles. A tile of the left operand is one pixel of sixteen images: all of them go through the same places of
//! the kernel, whatever the stride and the size of the images, so that tiles are read where the numbers are and no patch is laid out.
//!
//! # Safety
//! What is unsafe here has the precondition that tiles are *supported*: the processor has AMX, AVX-512 and its BF16, and the system has
//! granted the tile registers. A method of this module is made at the level `amx` alone, which says so.

mod backward;
mod forward;
mod layout;
mod rows;

pub(super) use backward::TilesBackward;
pub(super) use forward::TilesForward;

use super::super::amx::{DEPTH, TILE};
use super::super::{Level, Precision};
use super::Convolution;

/// Images that go together: the rows of a tile.
const GROUP: usize = 16;
/// Images below which too many rows of the tiles would be empty.
const FEWEST: usize = 8;
/// Channels below which too much of the tiles would be empty.
const FEWEST_CHANNELS: usize = 16;

/// Whether a convolution of so many images is done this way. Their number decides: bfloat16 is for training steps, whose batches are all of
/// one size, and what is planned is in float32.
pub(super) fn suits(convolution: &Convolution, level: Level, precision: Precision, batch: usize) -> bool {
    level.has_tiles()
        && precision == Precision::Bfloat16
        && batch >= FEWEST
        && convolution.outputs >= FEWEST_CHANNELS
        && convolution.pixels() > 0
}

/// Whether its gradients are.
pub(super) fn suits_gradients(convolution: &Convolution, level: Level, precision: Precision, batch: usize) -> bool {
    suits(convolution, level, precision, batch) && convolution.inputs >= FEWEST_CHANNELS
}

/// Channels with those of zeros that tiles need: a row of a tile has 32 numbers of one pixel, or of several neighbours.
fn padded_channels(channels: usize) -> usize {
    if channels > DEPTH / 2 { channels.next_multiple_of(DEPTH) } else { channels.next_power_of_two().max(2) }
}

/// Numbers in two right tiles.
const RIGHT: usize = 2 * TILE;
