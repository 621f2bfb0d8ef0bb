//! What is multiplied in one lane of a vector.

use super::super::Precision;
use super::super::level::Vectorised;
use super::super::scratch::{Plain, with_scratch};
use super::Vectors;

/// What is multiplied in one lane: a number, or two of them.
pub(crate) trait Element: Plain + Default + std::fmt::Debug + Send + Sync + 'static {
    /// Numbers in it: neighbours in the depth of a product.
    const DEPTH: usize;

    /// Numbers as elements, if in this precision each is one as it is.
    fn of_numbers(numbers: &[f32], precision: Precision) -> Option<&[Self]>;

    /// An element of its numbers; the second one counts only if there are two.
    fn join(precision: Precision, numbers: [f32; 2]) -> Self;

    /// Writes elements, `[steps, width]`, of numbers that `write` gives as `[depth, width]`, with zeros where the depth
    /// does not fill an element. Numbers are rounded to the precision.
    fn lay_out<V: Vectors>(
        precision: Precision,
        numbers: [usize; 2],
        elements: &mut [Self],
        write: impl FnOnce(&mut [f32]),
    );

    /// Writes elements of the numbers of two lines; the second one counts only if there are two in an element. To be
    /// inlined into work for the vectors.
    ///
    /// # Panics
    /// If a line is too short.
    fn join_lines(precision: Precision, first: &[f32], second: &[f32], elements: &mut [Self]);

    /// As [`Self::join_lines`], the elements of even and odd places apart.
    ///
    /// # Panics
    /// If a line is too short.
    fn join_deinterleaved(precision: Precision, first: &[f32], second: &[f32], even: &mut [Self], odd: &mut [Self]);

    /// Writes elements of neighbouring numbers, with a zero where the last element is not filled. To be inlined into
    /// work for the vectors.
    fn lay_out_line(precision: Precision, numbers: &[f32], elements: &mut [Self]);

    /// Writes elements of as many numbers of several kinds, each of which `write` gives for all elements:
    /// [`Self::DEPTH`] kinds at most, and zeros for those that are not there. Numbers are rounded to the precision.
    fn lay_out_kinds<V: Vectors>(
        precision: Precision,
        kinds: usize,
        elements: &mut [Self],
        write: impl FnMut(usize, &mut [f32]),
    );
}

impl Element for f32 {
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

    fn lay_out<V: Vectors>(precision: Precision, _: [usize; 2], elements: &mut [Self], write: impl FnOnce(&mut [f32])) {
        write(elements);
        if precision == Precision::Bfloat16 {
            // SAFETY: the vectors are supported.
            #[allow(unsafe_code)]
            unsafe {
                V::vectorise(Round(elements));
            }
        }
    }

    #[inline(always)]
    fn join_lines(precision: Precision, first: &[f32], _: &[f32], elements: &mut [Self]) {
        Self::lay_out_line(precision, &first[..elements.len()], elements);
    }

    #[inline(always)]
    fn join_deinterleaved(precision: Precision, numbers: &[f32], _: &[f32], even: &mut [Self], odd: &mut [Self]) {
        let element = |number: f32| Self::join(precision, [number, 0.0]);
        let both = even.len().min(odd.len());
        let (pairs, _) = numbers[..2 * both].as_chunks::<2>();
        for ([first, second], (even, odd)) in pairs.iter().zip(even.iter_mut().zip(&mut *odd)) {
            (*even, *odd) = (element(*first), element(*second));
        }
        for (parity, elements) in [even, odd].into_iter().enumerate() {
            for (index, out) in elements.iter_mut().enumerate().skip(both) {
                *out = element(numbers[2 * index + parity]);
            }
        }
    }

    #[inline(always)]
    fn lay_out_line(precision: Precision, numbers: &[f32], elements: &mut [Self]) {
        match precision {
            Precision::Float32 => elements.copy_from_slice(numbers),
            Precision::Bfloat16 => {
                elements
                    .iter_mut()
                    .zip(numbers)
                    .for_each(|(element, number)| *element = f32::from_bits(round(*number)));
            }
        }
    }

    fn lay_out_kinds<V: Vectors>(
        precision: Precision,
        kinds: usize,
        elements: &mut [Self],
        mut write: impl FnMut(usize, &mut [f32]),
    ) {
        assert_eq!(kinds, 1, "kinds of a number");
        Self::lay_out::<V>(precision, [elements.len(), 1], elements, |numbers| write(0, numbers));
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
impl Element for Pair {
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
        elements: &mut [Self],
        write: impl FnOnce(&mut [f32]),
    ) {
        with_scratch(|scratch| {
            let numbers = scratch.get::<f32>(depth * width);
            write(numbers);
            // SAFETY: the vectors are supported.
            #[allow(unsafe_code)]
            unsafe {
                V::vectorise(Join { numbers, width, elements });
            }
        });
    }

    #[inline(always)]
    fn join_lines(_: Precision, first: &[f32], second: &[f32], elements: &mut [Self]) {
        // SAFETY: AVX-512 with BF16 is supported wherever there is a `Pair`, the element of its vectors alone.
        #[allow(unsafe_code)]
        unsafe {
            super::avx512::join_lines(first, second, elements);
        }
    }

    #[inline(always)]
    fn join_deinterleaved(_: Precision, first: &[f32], second: &[f32], even: &mut [Self], odd: &mut [Self]) {
        // SAFETY: AVX-512 with BF16 is supported wherever there is a `Pair`, the element of its vectors alone.
        #[allow(unsafe_code)]
        unsafe {
            super::avx512::join_deinterleaved(first, second, even, odd);
        }
    }

    #[inline(always)]
    fn lay_out_line(_: Precision, numbers: &[f32], elements: &mut [Self]) {
        // SAFETY: AVX-512 with BF16 is supported wherever there is a `Pair`, the element of its vectors alone.
        #[allow(unsafe_code)]
        let done = unsafe { super::avx512::join_neighbours(numbers, elements) };
        let (pairs, rest) = numbers[2 * done..].as_chunks::<2>();
        let elements = &mut elements[done..];
        for (element, [first, second]) in elements.iter_mut().zip(pairs) {
            *element = Self(round(*first) >> 16 | round(*second));
        }
        if let ([number], Some(element)) = (rest, elements.get_mut(pairs.len())) {
            *element = Self(round(*number) >> 16);
        }
    }

    fn lay_out_kinds<V: Vectors>(
        precision: Precision,
        kinds: usize,
        elements: &mut [Self],
        mut write: impl FnMut(usize, &mut [f32]),
    ) {
        let width = elements.len();
        Self::lay_out::<V>(precision, [kinds, width], elements, |numbers| {
            numbers.chunks_exact_mut(width.max(1)).enumerate().for_each(|(kind, numbers)| write(kind, numbers));
        });
    }
}

/// Joins lines of numbers, two and two.
#[cfg(target_arch = "x86_64")]
struct Join<'a> {
    numbers: &'a [f32],
    width: usize,
    elements: &'a mut [Pair],
}

#[cfg(target_arch = "x86_64")]
impl Vectorised for Join<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let width = self.width.max(1);
        for (elements, lines) in self.elements.chunks_exact_mut(width).zip(self.numbers.chunks(2 * width)) {
            let (first, second) = lines.split_at(width);
            if second.is_empty() {
                elements.iter_mut().zip(first).for_each(|(element, first)| *element = Pair(round(*first) >> 16));
            } else {
                Pair::join_lines(Precision::Bfloat16, first, second, elements);
            }
        }
    }
}

/// The bits of a number rounded to bfloat16, ties to even.
#[inline(always)]
pub(crate) fn round(number: f32) -> u32 {
    let bits = number.to_bits();
    bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000
}

/// Rounds numbers to bfloat16, ties to even.
struct Round<'a>(&'a mut [f32]);

impl Vectorised for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        self.0.iter_mut().for_each(|value| *value = f32::from_bits(round(*value)));
    }
}
