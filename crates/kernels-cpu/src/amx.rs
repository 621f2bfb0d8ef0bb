//! Advanced Matrix Extensions: products of 16 x 16 tiles of bfloat16 with float32 accumulation.
//!
//! A float32 number is the exact sum of three bfloat16 numbers of falling size. Six of the nine products of two such sums hold all
//! that float32 can: what is left out is below one part in 2^24. Six tile products cost less than the float32 product on vectors.
#![allow(unsafe_code)]

use std::arch::asm;

/// Rows and columns of the block of the result that is computed at a time: two by two tiles.
pub(crate) const BLOCK: usize = 32;
/// Depth of one step: the pairs of a tile's row.
pub(crate) const DEPTH: usize = 32;
/// Numbers in one tile of bfloat16.
pub(crate) const TILE: usize = 512;

/// Asks the system for the use of tile registers. False when the processor or the system has none.
///
/// Linux grants the state of tiles to a process on request (Linux, `Documentation/arch/x86/xstate.rst`).
pub(crate) fn request() -> bool {
    #[cfg(target_os = "linux")]
    {
        const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
        const TILE_DATA: libc::c_long = 18;
        // Leaf 7 of CPUID, register EDX: bit 22 is AMX-BF16, bit 24 AMX-TILE.
        let edx = std::arch::x86_64::__cpuid_count(7, 0).edx;
        if edx & (1 << 22) == 0 || edx & (1 << 24) == 0 {
            return false;
        }
        // SAFETY: the call takes two integers and changes what this process may use, nothing else.
        unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0 }
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// The shape of the eight tile registers, in the layout that the processor reads.
#[repr(C, align(64))]
struct Shape {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

static FULL: Shape = Shape {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    bytes_per_row: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// The tile registers of this thread, ready for use; given back on drop.
pub(crate) struct Tiles(());

impl Tiles {
    /// Prepares the tile registers.
    ///
    /// # Safety
    /// [`request`] has returned true in this process.
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: [`request`] has returned true, so that the instruction exists; it reads the 64 bytes of a valid
        // shape.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const FULL, options(nostack, readonly)) };
        Self(())
    }

    /// `c = a b` in float32: both operands split into three parts.
    ///
    /// Per step `a` holds six tiles (high rows 0..16, high rows 16..32, then the middle and the low parts alike), `b` the same for
    /// its columns, with pairs of rows interleaved.
    ///
    /// # Safety
    /// `a` and `b` hold `steps * 6 * TILE` numbers each.
    #[allow(clippy::unused_self)]
    pub(crate) unsafe fn product_split(
        &mut self,
        steps: usize,
        a: *const u16,
        b: *const u16,
        c: &mut [f32; BLOCK * BLOCK],
    ) {
        // SAFETY: the loop reads 6 KiB of `a` and `b` per step, which are `6 * TILE` numbers of two bytes, and the
        // stores write the 4 KiB of `c`. The tile registers belong to `self`.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                "test {n}, {n}",
                "jz 3f",
                "2:",
                // low x high
                "tileloadd tmm6, [{b} + {s}*1]", "tileloadd tmm4, [{a} + {s}*1 + 4096]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{b} + {s}*1 + 1024]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{a} + {s}*1 + 5120]",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                // middle x high
                "tileloadd tmm4, [{a} + {s}*1 + 2048]", "tileloadd tmm5, [{a} + {s}*1 + 3072]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                // middle x middle
                "tileloadd tmm6, [{b} + {s}*1 + 2048]", "tileloadd tmm7, [{b} + {s}*1 + 3072]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                // high x middle
                "tileloadd tmm4, [{a} + {s}*1]", "tileloadd tmm5, [{a} + {s}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                // high x low
                "tileloadd tmm6, [{b} + {s}*1 + 4096]", "tileloadd tmm7, [{b} + {s}*1 + 5120]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                // high x high
                "tileloadd tmm6, [{b} + {s}*1]", "tileloadd tmm7, [{b} + {s}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a}, 6144",
                "add {b}, 6144",
                "dec {n}",
                "jnz 2b",
                "3:",
                "tilestored [{c} + {t}*1], tmm0", "tilestored [{c} + {t}*1 + 64], tmm1",
                "tilestored [{c} + {t}*1 + 2048], tmm2", "tilestored [{c} + {t}*1 + 2112], tmm3",
                n = inout(reg) steps => _, a = inout(reg) a => _, b = inout(reg) b => _,
                c = in(reg) c.as_mut_ptr(), s = in(reg) 64_usize, t = in(reg) 128_usize,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }

    /// `c = a b` with both operands rounded to bfloat16: two tiles of each per step.
    ///
    /// # Safety
    /// `a` and `b` hold `steps * 2 * TILE` numbers each.
    #[allow(clippy::unused_self)]
    pub(crate) unsafe fn product_rounded(
        &mut self,
        steps: usize,
        a: *const u16,
        b: *const u16,
        c: &mut [f32; BLOCK * BLOCK],
    ) {
        // SAFETY: the loop reads 2 KiB of `a` and `b` per step, which are `2 * TILE` numbers of two bytes, and the
        // stores write the 4 KiB of `c`. The tile registers belong to `self`.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                "test {n}, {n}",
                "jz 3f",
                "2:",
                "tileloadd tmm4, [{a} + {s}*1]", "tileloadd tmm6, [{b} + {s}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{b} + {s}*1 + 1024]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{a} + {s}*1 + 1024]",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a}, 2048",
                "add {b}, 2048",
                "dec {n}",
                "jnz 2b",
                "3:",
                "tilestored [{c} + {t}*1], tmm0", "tilestored [{c} + {t}*1 + 64], tmm1",
                "tilestored [{c} + {t}*1 + 2048], tmm2", "tilestored [{c} + {t}*1 + 2112], tmm3",
                n = inout(reg) steps => _, a = inout(reg) a => _, b = inout(reg) b => _,
                c = in(reg) c.as_mut_ptr(), s = in(reg) 64_usize, t = in(reg) 128_usize,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }

    /// Products of tiles that lie here and there: the sums over the steps of two left tiles, `next` bytes apart, with two right tiles that
    /// follow each other. Both tiles of the first left one go to `out[0]`, one after the other, those of the second to `out[1]`.
    ///
    /// # Safety
    /// At every step 16 rows of 64 bytes, `row` bytes apart, are at `left + step.left` and at `next` bytes behind, and `2 * TILE` numbers at
    /// `right + step.right`; there is room for two tiles of sums at both places of `out`.
    #[allow(clippy::unused_self)]
    pub(crate) unsafe fn gather(
        &mut self,
        steps: &[Step],
        left: *const u16,
        [row, next]: [usize; 2],
        right: *const u16,
        out: [*mut f32; 2],
    ) {
        // SAFETY: the loop reads the steps and what they name, and the stores write 2 KiB to each place. The tile registers belong to `self`.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                "test {n}, {n}",
                "jz 3f",
                "2:",
                "mov {p}, [{steps}]", "mov {q}, [{steps} + 8]",
                "add {p}, {left}", "add {q}, {right}",
                "tileloadd tmm4, [{p} + {row}*1]", "tileloadd tmm6, [{q} + {s}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{q} + {s}*1 + 1024]",
                "add {p}, {next}",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{p} + {row}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                "add {steps}, 16",
                "dec {n}",
                "jnz 2b",
                "3:",
                "tilestored [{c} + {s}*1], tmm0", "tilestored [{c} + {s}*1 + 1024], tmm1",
                "tilestored [{d} + {s}*1], tmm2", "tilestored [{d} + {s}*1 + 1024], tmm3",
                n = inout(reg) steps.len() => _, steps = inout(reg) steps.as_ptr() => _, left = in(reg) left, right = in(reg) right,
                row = in(reg) row, next = in(reg) next, c = in(reg) out[0], d = in(reg) out[1], s = in(reg) 64_usize,
                p = out(reg) _, q = out(reg) _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }

    /// Adds products of tiles in rows to `c`, four tiles: of the first left one with both right ones, then of the second.
    ///
    /// # Safety
    /// For every line and every step in it, 16 rows of 64 bytes are at the places of both left and both right tiles.
    #[allow(clippy::unused_self)]
    pub(crate) unsafe fn accumulate(
        &mut self,
        mut lines: Lines,
        left: *const u16,
        right: *const u16,
        c: &mut [f32; BLOCK * BLOCK],
    ) {
        if lines.count == 0 {
            return;
        }
        // SAFETY: the loops read what the lines name, and the 4 KiB of `c` are read and written. The tile registers belong to `self`.
        unsafe {
            asm!(
                "tileloadd tmm0, [{c} + {s}*1]", "tileloadd tmm1, [{c} + {s}*1 + 1024]",
                "tileloadd tmm2, [{c} + {s}*1 + 2048]", "tileloadd tmm3, [{c} + {s}*1 + 3072]",
                "2:",
                "mov {n}, [{lines} + 8]",
                "mov {p}, {left}", "mov {q}, {right}",
                "3:",
                "tileloadd tmm4, [{p} + {left_row}*1]", "tileloadd tmm6, [{q} + {right_row}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{q} + {right_row}*1 + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "mov {t}, {p}", "add {t}, {second}",
                "tileloadd tmm5, [{t} + {left_row}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                "add {p}, 64",
                "add {q}, [{lines} + 16]",
                "dec {n}",
                "jnz 3b",
                "add {left}, [{lines} + 24]",
                "add {right}, [{lines} + 32]",
                "dec qword ptr [{lines}]",
                "jnz 2b",
                "tilestored [{c} + {s}*1], tmm0", "tilestored [{c} + {s}*1 + 1024], tmm1",
                "tilestored [{c} + {s}*1 + 2048], tmm2", "tilestored [{c} + {s}*1 + 3072], tmm3",
                lines = in(reg) &raw mut lines,
                left = inout(reg) left => _, right = inout(reg) right => _,
                left_row = in(reg) lines.left_row, second = in(reg) 16 * lines.left_row, right_row = in(reg) lines.right_row,
                c = in(reg) c.as_mut_ptr(), s = in(reg) 64_usize,
                n = out(reg) _, p = out(reg) _, q = out(reg) _, t = out(reg) _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: the registers are this value's; nothing reads them afterwards.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// A step of [`Tiles::gather`], in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Where its left tiles begin.
    pub(crate) left: usize,
    /// Where its right tiles begin.
    pub(crate) right: usize,
}

/// Where the tiles of [`Tiles::accumulate`] lie, in bytes. The left tiles of a line follow each other in 16 rows, the second ones are in
/// the 16 rows below; the right ones of a step are beside each other.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines {
    /// Number of lines.
    pub(crate) count: usize,
    /// Steps of a line, at least one.
    pub(crate) steps: usize,
    /// From the right tiles of a step to those of the next.
    pub(crate) right_step: usize,
    /// From a line of left tiles to the next.
    pub(crate) left_line: usize,
    /// From a line of right tiles to the next.
    pub(crate) right_line: usize,
    /// Between rows of a left tile.
    pub(crate) left_row: usize,
    /// Between rows of a right tile.
    pub(crate) right_row: usize,
}
