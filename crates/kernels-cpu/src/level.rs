//! What the processor can do, found out once at run time.
#![allow(unsafe_code)]

use std::fmt;
use std::sync::OnceLock;

/// The instructions that a kernel may use. There is no value for instructions that this machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Instructions {
    Portable,
    Avx2,
    Avx512,
    /// With products of pairs of bfloat16.
    Avx512Bf16,
    /// With these, and tiles of bfloat16.
    Amx,
}

impl Level {
    /// Plain Rust.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// The highest level that this processor and system allow.
    pub fn highest() -> Self {
        static HIGHEST: OnceLock<Level> = OnceLock::new();
        *HIGHEST.get_or_init(|| Self(detect()))
    }

    /// Every level that this machine allows, from plain Rust to the highest.
    pub fn available() -> Vec<Self> {
        use Instructions::{Amx, Avx2, Avx512, Avx512Bf16, Portable};
        [Portable, Avx2, Avx512, Avx512Bf16, Amx]
            .map(Self)
            .into_iter()
            .filter(|level| *level <= Self::highest())
            .collect()
    }

    /// The level of this name: `portable`, `avx2`, `avx512`, `avx512-bf16` or `amx`; `None` if this machine has none of
    /// that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|level| level.name() == name)
    }

    /// Its name, as [`Self::named`] takes it.
    pub fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            Instructions::Avx2 => "avx2",
            Instructions::Avx512 => "avx512",
            Instructions::Avx512Bf16 => "avx512-bf16",
            Instructions::Amx => "amx",
        }
    }

    /// What this level allows.
    pub(crate) fn instructions(self) -> Instructions {
        self.0
    }

    /// This level, or that of these instructions if it is lower.
    pub(crate) fn at_most(self, instructions: Instructions) -> Self {
        Self(self.0.min(instructions))
    }

    /// Whether products run on tiles of bfloat16 (and 512-bit vectors are there).
    pub(crate) fn has_tiles(self) -> bool {
        self.0 == Instructions::Amx
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Instructions {
    Instructions::Portable
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Instructions {
    use std::arch::is_x86_feature_detected as has;
    if has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512dq") && has!("avx2") && has!("fma") {
        match has!("avx512bf16") {
            true if super::amx::request() => Instructions::Amx,
            true => Instructions::Avx512Bf16,
            false => Instructions::Avx512,
        }
    } else if has!("avx2") && has!("fma") {
        Instructions::Avx2
    } else {
        Instructions::Portable
    }
}

/// Work that is compiled once per level.
pub(crate) trait Vectorised {
    /// What it gives.
    type Output;

    /// Does it; `fused` says that a fused multiply-add is one instruction. To be inlined.
    fn run<const FUSED: bool>(self) -> Self::Output;
}

/// Runs `work` with the vectors of this level: what is inlined into it is compiled for them.
#[inline]
pub(crate) fn at<W: Vectorised>(level: Level, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: a level above `PORTABLE` comes from `detect` alone, which has found these instructions on this
        // processor.
        match level.0 {
            Instructions::Amx | Instructions::Avx512Bf16 | Instructions::Avx512 => return unsafe { with_avx512(work) },
            Instructions::Avx2 => return unsafe { with_avx2(work) },
            Instructions::Portable => {}
        }
    }
    work.run::<false>()
}

/// Does work with vectors of sixteen numbers.
///
/// # Safety
/// The processor has AVX-512 F, BW, VL and DQ, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
pub(crate) unsafe fn with_avx512<W: Vectorised>(work: W) -> W::Output {
    work.run::<true>()
}

/// Does work with vectors of sixteen numbers, or of as many pairs of bfloat16.
///
/// # Safety
/// The processor has AVX-512 F, BW, VL, DQ and BF16, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")]
pub(crate) unsafe fn with_avx512_bf16<W: Vectorised>(work: W) -> W::Output {
    work.run::<true>()
}

/// Does work with vectors of eight numbers.
///
/// # Safety
/// The processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn with_avx2<W: Vectorised>(work: W) -> W::Output {
    work.run::<true>()
}
