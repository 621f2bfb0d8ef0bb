//! Turning stored pictures upright.

use serde::{Deserialize, Serialize};

use super::Window;

/// One of the eight ways a stored picture can lie, from the container's display matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orientation {
    /// Upright columns are stored rows.
    transposed: bool,
    /// Upright columns run against the stored direction.
    reverse_columns: bool,
    /// Upright rows run against the stored direction.
    reverse_rows: bool,
}

impl Orientation {
    /// As it is stored.
    pub const UPRIGHT: Self = Self { transposed: false, reverse_columns: false, reverse_rows: false };

    /// From the nine 32-bit numbers `a b u c d v x y w` of a display matrix: a stored point (x, y) is shown at
    /// (a x + c y, b x + d y). Angles that are no multiple of 90 degrees go to the nearest one.
    pub fn from_matrix(matrix: &[u8]) -> Self {
        let entry = |index: usize| {
            matrix
                .get(index * 4..index * 4 + 4)
                .and_then(|bytes| bytes.try_into().ok())
                .map_or(0, |bytes| i64::from(i32::from_ne_bytes(bytes)))
        };
        let (a, b, c, d) = (entry(0), entry(1), entry(3), entry(4));
        if a.abs() + d.abs() >= b.abs() + c.abs() {
            Self { transposed: false, reverse_columns: a < 0, reverse_rows: d < 0 }
        } else {
            Self { transposed: true, reverse_columns: c < 0, reverse_rows: b < 0 }
        }
    }

    /// The same, mirrored left to right afterwards.
    #[must_use]
    pub fn mirror(self, mirror: bool) -> Self {
        Self { reverse_columns: self.reverse_columns ^ mirror, ..self }
    }

    /// The part of a stored picture that is this part of the upright one, whose size is given.
    pub fn to_stored(self, window: &Window, upright: (usize, usize)) -> Window {
        let mut stored = *window;
        if self.reverse_columns {
            stored.x = upright.0 as f64 - window.x - window.width;
        }
        if self.reverse_rows {
            stored.y = upright.1 as f64 - window.y - window.height;
        }
        if self.transposed {
            stored = Window { x: stored.y, y: stored.x, width: stored.height, height: stored.width };
        }
        stored
    }

    /// Whether the picture is mirrored, besides being turned.
    pub fn is_mirrored(self) -> bool {
        self.transposed ^ self.reverse_columns ^ self.reverse_rows
    }

    /// Degrees clockwise by which the stored picture is turned to be upright (after mirroring left to right, if mirrored).
    pub fn clockwise_degrees(self) -> u32 {
        match (self.transposed, self.reverse_rows) {
            (false, false) => 0,
            (false, true) => 180,
            (true, reverse_rows) if reverse_rows == self.is_mirrored() => 90,
            (true, _) => 270,
        }
    }

    /// Swaps width and height when the picture lies on its side.
    pub fn apply_to_size<T>(self, (width, height): (T, T)) -> (T, T) {
        if self.transposed { (height, width) } else { (width, height) }
    }

    /// Copies stored RGB rows (`stride` bytes apart) into the upright, tightly packed `target`.
    pub fn copy(self, source: &[u8], stride: usize, (width, height): (usize, usize), target: &mut [u8]) {
        assert_eq!(
            target.len(),
            width * height * 3,
            "a {width}x{height} RGB frame needs {} bytes, the target has {}",
            width * height * 3,
            target.len()
        );
        let rows = source.chunks(stride).take(height).map(|row| &row[..width * 3]);
        if self == Self::UPRIGHT {
            for (to, from) in target.chunks_exact_mut(width * 3).zip(rows) {
                to.copy_from_slice(from);
            }
            return;
        }
        let (upright_width, upright_height) = self.apply_to_size((width, height));
        for (y, row) in rows.enumerate() {
            for (x, pixel) in row.as_chunks::<3>().0.iter().enumerate() {
                let (mut column, mut line) = if self.transposed { (y, x) } else { (x, y) };
                if self.reverse_columns {
                    column = upright_width - 1 - column;
                }
                if self.reverse_rows {
                    line = upright_height - 1 - line;
                }
                target[(line * upright_width + column) * 3..][..3].copy_from_slice(pixel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Orientation;

    fn orientation(a: i32, b: i32, c: i32, d: i32) -> Orientation {
        let matrix = [a, b, 0, c, d, 0, 0, 0, 1 << 14].map(|value| value << 16);
        let bytes: Vec<u8> = matrix.iter().flat_map(|value| value.to_ne_bytes()).collect();
        Orientation::from_matrix(&bytes)
    }

    fn turned(orientation: Orientation) -> Vec<u8> {
        // 1 2 3
        // 4 5 6, with two bytes of padding per row
        let source: Vec<u8> = [[1, 2, 3], [4, 5, 6]]
            .iter()
            .flat_map(|row| row.iter().flat_map(|&value| [value; 3]).chain([99; 2]).collect::<Vec<u8>>())
            .collect();
        let mut target = vec![0; 18];
        orientation.copy(&source, 11, (3, 2), &mut target);
        target.chunks(3).map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn all_eight_orientations() {
        for (matrix, degrees, mirrored, expected) in [
            ((1, 0, 0, 1), 0, false, [1, 2, 3, 4, 5, 6]),
            ((0, 1, -1, 0), 90, false, [4, 1, 5, 2, 6, 3]),
            ((-1, 0, 0, -1), 180, false, [6, 5, 4, 3, 2, 1]),
            ((0, -1, 1, 0), 270, false, [3, 6, 2, 5, 1, 4]),
            ((-1, 0, 0, 1), 0, true, [3, 2, 1, 6, 5, 4]),
            ((1, 0, 0, -1), 180, true, [4, 5, 6, 1, 2, 3]),
            // Mirrored 3 2 1 / 6 5 4, then turned clockwise by 90 and by 270 degrees.
            ((0, -1, -1, 0), 90, true, [6, 3, 5, 2, 4, 1]),
            ((0, 1, 1, 0), 270, true, [1, 4, 2, 5, 3, 6]),
        ] {
            let found = orientation(matrix.0, matrix.1, matrix.2, matrix.3);
            assert_eq!(turned(found), expected, "{matrix:?}");
            assert_eq!(found.clockwise_degrees(), degrees, "{matrix:?}");
            assert_eq!(found.is_mirrored(), mirrored, "{matrix:?}");
        }
    }
}
