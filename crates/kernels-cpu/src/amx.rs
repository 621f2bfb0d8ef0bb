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
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: the registers are this value's; nothing reads them afterwards.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
