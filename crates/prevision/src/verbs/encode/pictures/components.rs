//! Principal components of patches as red, green and blue.

use std::io;

use prevision_eval::measure::PrincipalComponents;

use super::colours::{Range, byte};
use super::spool::Spool;

/// Components that are shown: as many as a pixel has colours.
const SHOWN: usize = 3;

/// What makes a colour of a patch.
pub(super) struct Components {
    components: PrincipalComponents,
    ranges: [Range; SHOWN],
}

impl Components {
    /// Fits them to patches from all over the windows.
    pub(super) fn fit(spool: &mut Spool) -> io::Result<Self> {
        let rows = spool.sample()?;
        let components = PrincipalComponents::fit(&rows, spool.width(), SHOWN);
        let shown: Vec<Vec<f64>> = rows.chunks_exact(spool.width()).map(|row| components.project(row)).collect();
        let ranges =
            std::array::from_fn(|axis| Range::of(&mut shown.iter().map(|numbers| numbers[axis]).collect::<Vec<f64>>()));
        Ok(Self { components, ranges })
    }

    /// The colour of a patch.
    pub(super) fn colour(&self, patch: &[f32]) -> [u8; 3] {
        let numbers = self.components.project(patch);
        std::array::from_fn(|axis| byte(self.ranges[axis].share(numbers[axis])))
    }

    /// The share of the variance that each has.
    pub(super) fn explained(&self) -> Vec<f64> {
        self.components.explained().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_difference_is_red() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::create(&folder.path().join("a.mp4"), 4, 3).expect("a file");
        let patches: [[f32; 3]; 4] = [[9.0, 1.0, 0.0], [9.0, -1.0, 0.0], [-9.0, 1.0, 0.0], [-9.0, -1.0, 0.0]];
        spool.keep(&patches.concat(), 1, 0).expect("features");
        let components = Components::fit(&mut spool).expect("components");
        // Blue differs nowhere: the middle.
        let colours = patches.map(|patch| components.colour(&patch));
        assert_eq!(colours, [[255, 255, 128], [255, 0, 128], [0, 255, 128], [0, 0, 128]]);
        let explained = components.explained();
        assert!((explained[0] - 81.0 / 82.0).abs() < 1e-6 && explained[2] == 0.0, "{explained:?}");
    }
}
