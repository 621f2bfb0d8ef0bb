//! Exponential, error function and what is made of them, without branches, so that loops over them become vector code.
//!
//! Every function is within 2e-7 of the exact value, absolute or relative, whichever is larger.

/// `a * b + c`.
#[inline(always)]
pub(crate) fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `e^x`; 0 below -87, and at 88 and above as at 88.
#[inline(always)]
pub(crate) fn exp<const FUSED: bool>(x: f32) -> f32 {
    // 2^n e^r with r in [-ln 2 / 2, ln 2 / 2]; adding 1.5 * 2^23 rounds to a whole number, and leaves it in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.3, 88.0);
    let shifted = fma::<FUSED>(clamped, std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = fma::<FUSED>(n, -0.693_359_4, clamped);
    let r = fma::<FUSED>(n, 2.121_944_4e-4, r);
    let mut p = 1.381441419e-03;
    for coefficient in [8.368800090e-03, 4.166839629e-02, 1.666651995e-01, 4.999999340e-01, 1.0, 1.0] {
        p = fma::<FUSED>(p, r, coefficient);
    }
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87.3 { 0.0 } else { p * scale }
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid<const FUSED: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FUSED>(-x))
}

/// `tanh x`.
#[inline(always)]
pub(crate) fn tanh<const FUSED: bool>(x: f32) -> f32 {
    // Near zero 1 - 2 / (e^2x + 1) cancels; there the series x - x^3 / 3 + .. is exact enough.
    let y = 2.0 * x.abs();
    let far = (1.0 - 2.0 / (exp::<FUSED>(y) + 1.0)).copysign(x);
    let s = x * x;
    let mut p = 62.0 / 2835.0;
    for coefficient in [-17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0] {
        p = fma::<FUSED>(p, s, coefficient);
    }
    let near = fma::<FUSED>(p * s, x, x);
    if y < 0.5 { near } else { far }
}

/// Sine and cosine, for `|x|` up to 8000.
#[inline(always)]
pub(crate) fn sin_cos<const FUSED: bool>(x: f32) -> (f32, f32) {
    // x = n pi / 2 + r with r in [-pi / 4, pi / 4]; pi / 2 is taken off in three parts, the first two of few bits. The rounding is
    // that of `exp`. The polynomials are those of Cephes' `sinf` and `cosf`.
    const MAGIC: f32 = 12_582_912.0;
    let shifted = fma::<FUSED>(x, std::f32::consts::FRAC_2_PI, MAGIC);
    let n = shifted - MAGIC;
    let r = fma::<FUSED>(n, -1.570_312_5, x);
    let r = fma::<FUSED>(n, -4.837_512_969_970_703e-4, r);
    let r = fma::<FUSED>(n, -7.549_789_954_891_88e-8, r);
    let s = r * r;
    let sine = fma::<FUSED>(fma::<FUSED>(-1.951_529_6e-4, s, 8.332_161e-3), s, -0.166_666_55);
    let sine = fma::<FUSED>(sine * s, r, r);
    let cosine = fma::<FUSED>(fma::<FUSED>(2.443_315_7e-5, s, -1.388_731_6e-3), s, 0.041_666_646);
    let cosine = fma::<FUSED>(cosine * s, s, fma::<FUSED>(-0.5, s, 1.0));
    let quarter = shifted.to_bits();
    let (sine, cosine) = if quarter & 1 == 0 { (sine, cosine) } else { (cosine, sine) };
    let sine = f32::from_bits(sine.to_bits() ^ (quarter & 2) << 30);
    let cosine = f32::from_bits(cosine.to_bits() ^ (quarter.wrapping_add(1) & 2) << 30);
    (sine, cosine)
}

/// The standard normal's distribution function, `(1 + erf(x / sqrt 2)) / 2`, and its density, `e^(-x^2 / 2) / sqrt(2 pi)`.
///
/// The tail is `e^(-z^2)` times a polynomial in `1 / (1 + 0.3275911 z)`, `z = |x| / sqrt 2` (the form of Abramowitz and Stegun 7.1.26,
/// with seven terms, fitted to an error of 4e-9).
#[inline(always)]
pub(crate) fn normal<const FUSED: bool>(x: f32) -> (f32, f32) {
    const COEFFICIENTS: [f32; 7] = [
        -1.492255370e-01,
        7.524106487e-01,
        -1.042777012e+00,
        1.020054451e+00,
        -3.745349567e-01,
        2.155523087e-01,
        7.852009850e-02,
    ];
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / fma::<FUSED>(z, 0.327_591_1, 1.0);
    let bell = exp::<FUSED>(-z * z);
    let mut p = COEFFICIENTS[0];
    for &coefficient in &COEFFICIENTS[1..] {
        p = fma::<FUSED>(p, t, coefficient);
    }
    let tail = p * t * bell;
    (if x < 0.0 { tail } else { 1.0 - tail }, bell * 0.398_942_28)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error of `f` against `exact`, absolute below 1 and relative above.
    fn error(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, range: f32) -> f64 {
        (-20_000..=20_000)
            .map(|i| {
                let x = i as f32 / 20_000.0 * range;
                let y = exact(f64::from(x));
                (f64::from(f(x)) - y).abs() / y.abs().max(1.0)
            })
            .fold(0.0, f64::max)
    }

    /// By the series of the error function, alternating, in float64; for `|x| < 5`.
    fn distribution(x: f64) -> f64 {
        let (mut sum, mut term) = (x, x);
        for n in 1..200 {
            term *= -x * x / 2.0 / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        0.5 + sum / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn close_to_exact() {
        assert!(error(exp::<true>, f64::exp, 80.0) < 2e-7);
        assert!(error(exp::<false>, f64::exp, 80.0) < 2e-7);
        assert!(error(tanh::<true>, f64::tanh, 12.0) < 2e-7);
        assert!(error(tanh::<false>, f64::tanh, 0.6) < 2e-7);
        for range in [1.0, 30.0, 8000.0] {
            assert!(error(|x| sin_cos::<true>(x).0, f64::sin, range) < 2e-7);
            assert!(error(|x| sin_cos::<true>(x).1, f64::cos, range) < 2e-7);
        }
        assert!(error(|x| sin_cos::<false>(x).0, f64::sin, 300.0) < 2e-7);
        assert!(error(|x| sin_cos::<false>(x).1, f64::cos, 300.0) < 2e-7);
        assert!(error(sigmoid::<true>, |x| 1.0 / (1.0 + (-x).exp()), 30.0) < 2e-7);
        assert!(error(|x| normal::<true>(x).0, distribution, 5.0) < 3e-7);
        assert!(error(|x| normal::<false>(x).0, distribution, 5.0) < 3e-7);
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!(exp::<true>(-1000.0), 0.0);
        assert_eq!(exp::<true>(f32::NEG_INFINITY), 0.0);
        assert_eq!((tanh::<true>(100.0), tanh::<true>(-100.0), tanh::<true>(0.0)), (1.0, -1.0, 0.0));
        assert_eq!((normal::<true>(-30.0).0, normal::<true>(30.0).0), (0.0, 1.0));
        assert!(
            exp::<true>(f32::NAN).is_nan()
                && sin_cos::<true>(f32::NAN).0.is_nan()
                && normal::<true>(f32::NAN).0.is_nan()
                && tanh::<true>(f32::NAN).is_nan()
        );
    }
}
