//! What is multiplied in one lane of a vector.

use super::super::Precision;
use super::super::level::Work;
use super::super::scratch::{Plain, with_scratch};
use super::Vectors;

/// What is multiplied in one lane: a number, or two of them.
pub(crate) trait Unit: Plain + Default + std::fmt::Debug + Send + Sync + 'static {
    /// Numbers in it: neighbours in the depth of a product.
    const DEPTH: usize;

    /// Numbers as units, if in this precision each is one as it is.
    fn of_numbers(numbers: &[f32], precision: Precision) -> Option<&[Self]>;

    /// A unit of its numbers; the second one counts only if there are two.
    fn join(precision: Precision, numbers: [f32; 2]) -> Self;

    /// Writes units, `[steps, width]`, of numbers that `write` gives as `[depth, width]`, with zeros where the depth does not fill a
    /// unit. Numbers are rounded to the precision.
    fn lay_out<V: Vectors>(
        precision: Precision,
        numbers: [usize; 2],
        units: &mut [Self],
        write: impl FnOnce(&mut [f32]),
    );

    /// Writes units of the numbers of two lines; the second one counts only if there are two in a unit. To be inlined into work for the
    /// vectors.
    ///
    /// # Panics
    /// If a line is too short.
    fn join_lines(precision: Precision, first: &[f32], second: &[f32], units: &mut [Self]);

    /// As [`Self::join_lines`], the units of even and odd places apart.
    ///
    /// # Panics
    /// If a line is too short.
    fn join_in_turn(precision: Precision, first: &[f32], second: &[f32], even: &mut [Self], odd: &mut [Self]);

    /// Writes units of neighbouring numbers, with a zero where the last unit is not filled. To be inlined into work for the vectors.
    fn lay_out_line(precision: Precision, numbers: &[f32], units: &mut [Self]);

    /// Writes units of as many numbers of several kinds, each of which `write` gives for all units: [`Self::DEPTH`] kinds at most, and
    /// zeros for those that are not there. Numbers are rounded to the precision.
    fn lay_out_kinds<V: Vectors>(
        precision: Precision,
        kinds: usize,
        units: &mut [Self],
        write: impl FnMut(usize, &mut [f32]),
    );
}

impl Unit for f32 {
    const DEPTH: usize = 1;

    fn of_numbers(numbers: &[f32], precision: Precision) -> Option<&[Self]> {
        (precision == Precision::Float32).then_some(numbers)
    }

    #[inline(always)]
    fn join(precision: Precision, [number, _]: [f32; 2]) -> Self {
        match precision {
            Precision::Float32 => number,
            Precision::Bfloat16 => f32::from_bits(round(number)),
        }
    }

    fn lay_out<V: Vectors>(precision: Precision, _: [usize; 2], units: &mut [Self], write: impl FnOnce(&mut [f32])) {
        write(units);
        if precision == Precision::Bfloat16 {
            // SAFETY: whoever has these vectors asks for their units.
            #[allow(unsafe_code)]
            unsafe {
                V::enter(Round(units));
            }
        }
    }

    #[inline(always)]
    fn join_lines(precision: Precision, first: &[f32], _: &[f32], units: &mut [Self]) {
        Self::lay_out_line(precision, &first[..units.len()], units);
    }

    #[inline(always)]
    fn join_in_turn(precision: Precision, numbers: &[f32], _: &[f32], even: &mut [Self], odd: &mut [Self]) {
        let unit = |number: f32| Self::join(precision, [number, 0.0]);
        let both = even.len().min(odd.len());
        let (pairs, _) = numbers[..2 * both].as_chunks::<2>();
        for ([first, second], (even, odd)) in pairs.iter().zip(even.iter_mut().zip(&mut *odd)) {
            (*even, *odd) = (unit(*first), unit(*second));
        }
        for (parity, units) in [even, odd].into_iter().enumerate() {
            for (index, out) in units.iter_mut().enumerate().skip(both) {
                *out = unit(numbers[2 * index + parity]);
            }
        }
    }

    #[inline(always)]
    fn lay_out_line(precision: Precision, numbers: &[f32], units: &mut [Self]) {
        match precision {
            Precision::Float32 => units.copy_from_slice(numbers),
            Precision::Bfloat16 => {
                units.iter_mut().zip(numbers).for_each(|(unit, number)| *unit = f32::from_bits(round(*number)));
            }
        }
    }

    fn lay_out_kinds<V: Vectors>(
        precision: Precision,
        kinds: usize,
        units: &mut [Self],
        mut write: impl FnMut(usize, &mut [f32]),
    ) {
        assert_eq!(kinds, 1, "kinds of a number");
        Self::lay_out::<V>(precision, [units.len(), 1], units, |numbers| write(0, numbers));
    }
}

/// Two bfloat16 numbers, the first in the lower half.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub(crate) struct Pair(u32);

#[cfg(target_arch = "x86_64")]
impl Plain for Pair {}

#[cfg(target_arch = "x86_64")]
impl Unit for Pair {
    const DEPTH: usize = 2;

    fn of_numbers(_: &[f32], _: Precision) -> Option<&[Self]> {
        None
    }

    #[inline(always)]
    fn join(_: Precision, [first, second]: [f32; 2]) -> Self {
        Self(round(first) >> 16 | round(second))
    }

    fn lay_out<V: Vectors>(
        _: Precision,
        [depth, width]: [usize; 2],
        units: &mut [Self],
        write: impl FnOnce(&mut [f32]),
    ) {
        with_scratch(|scratch| {
            let numbers = scratch.get::<f32>(depth * width);
            write(numbers);
            // SAFETY: whoever has these vectors asks for their units.
            #[allow(unsafe_code)]
            unsafe {
                V::enter(Join { numbers, width, units });
            }
        });
    }

    #[inline(always)]
    fn join_lines(_: Precision, first: &[f32], second: &[f32], units: &mut [Self]) {
        // SAFETY: pairs are units of vectors that come with what rounds numbers to them.
        #[allow(unsafe_code)]
        unsafe {
            super::avx512::join_lines(first, second, units);
        }
    }

    #[inline(always)]
    fn join_in_turn(_: Precision, first: &[f32], second: &[f32], even: &mut [Self], odd: &mut [Self]) {
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe {
            super::avx512::join_in_turn(first, second, even, odd);
        }
    }

    #[inline(always)]
    fn lay_out_line(_: Precision, numbers: &[f32], units: &mut [Self]) {
        // SAFETY: pairs are units of vectors that come with what rounds numbers to them.
        #[allow(unsafe_code)]
        let done = unsafe { super::avx512::join_neighbours(numbers, units) };
        let (pairs, rest) = numbers[2 * done..].as_chunks::<2>();
        let units = &mut units[done..];
        for (unit, [first, second]) in units.iter_mut().zip(pairs) {
            *unit = Self(round(*first) >> 16 | round(*second));
        }
        if let ([number], Some(unit)) = (rest, units.get_mut(pairs.len())) {
            *unit = Self(round(*number) >> 16);
        }
    }

    fn lay_out_kinds<V: Vectors>(
        precision: Precision,
        kinds: usize,
        units: &mut [Self],
        mut write: impl FnMut(usize, &mut [f32]),
    ) {
        let width = units.len();
        Self::lay_out::<V>(precision, [kinds, width], units, |numbers| {
            numbers.chunks_exact_mut(width.max(1)).enumerate().for_each(|(kind, numbers)| write(kind, numbers));
        });
    }
}

/// Joins lines of numbers, two and two.
#[cfg(target_arch = "x86_64")]
struct Join<'a> {
    numbers: &'a [f32],
    width: usize,
    units: &'a mut [Pair],
}

#[cfg(target_arch = "x86_64")]
impl Work for Join<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let width = self.width.max(1);
        for (units, lines) in self.units.chunks_exact_mut(width).zip(self.numbers.chunks(2 * width)) {
            let (first, second) = lines.split_at(width);
            if second.is_empty() {
                units.iter_mut().zip(first).for_each(|(unit, first)| *unit = Pair(round(*first) >> 16));
            } else {
                Pair::join_lines(Precision::Bfloat16, first, second, units);
            }
        }
    }
}

/// The bits of a number rounded to bfloat16, ties to even.
#[inline(always)]
fn round(number: f32) -> u32 {
    let bits = number.to_bits();
    bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000
}

/// Rounds numbers to bfloat16, ties to even.
struct Round<'a>(&'a mut [f32]);

impl Work for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        self.0.iter_mut().for_each(|value| *value = f32::from_bits(round(*value)));
    }
}
