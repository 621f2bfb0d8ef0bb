//! Which visible token a hidden one can be carried over from.

use super::{MaskPair, TokenIds, token_ids};
use burn::tensor::Device;

impl MaskPair {
    /// For every target token of every clip, where in the list of context tokens its place was visible last: the latest context
    /// token before it at the same place, or else the earliest one after it. `None` where the place is hidden throughout.
    /// `places` is the number of tokens of one tubelet, height times width.
    pub fn nearest_visible(&self, places: usize) -> Vec<Vec<Option<usize>>> {
        self.context
            .iter()
            .zip(&self.target)
            .map(|(context, target)| {
                // Context tokens of each place, in ascending time: (id, where it is in the list).
                let mut visible = vec![vec![]; places];
                for (index, &id) in context.iter().enumerate() {
                    visible[id % places].push((id, index));
                }
                let nearest = |&id: &usize| {
                    let here = &visible[id % places];
                    let after = here.partition_point(|&(other, _)| other < id);
                    here.get(after.saturating_sub(1)).map(|&(_, index)| index)
                };
                target.iter().map(nearest).collect()
            })
            .collect()
    }

    /// [`MaskPair::nearest_visible`] on the device, counted from 1, with 0 for `None`: ids into the context tokens after one
    /// token that stands for "nothing".
    ///
    /// # Shapes
    /// - output: `[batch, m]`
    pub(crate) fn carried_ids(&self, places: usize, device: &Device) -> TokenIds {
        let lists: Vec<Vec<usize>> = self
            .nearest_visible(places)
            .into_iter()
            .map(|clip| clip.into_iter().map(|index| index.map_or(0, |index| index + 1)).collect())
            .collect();
        token_ids(&lists, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_visible_tubelet_of_a_place_is_nearest() {
        // Two places, four tubelets: ids 2 t + place.
        let mask = MaskPair { context: vec![vec![0, 2, 5]], target: vec![vec![1, 3, 4, 6, 7]] };
        // Place 0 is visible at times 0 and 1, place 1 at time 2 alone.
        assert_eq!(mask.nearest_visible(2), [[Some(2), Some(2), Some(1), Some(1), Some(2)]]);
        let hidden = MaskPair { context: vec![vec![1]], target: vec![vec![0, 2, 3]] };
        assert_eq!(hidden.nearest_visible(2), [[None, None, Some(0)]]);
        let ids = hidden.carried_ids(2, &Device::flex()).into_data().try_into_vec_as::<i64>().expect("ids");
        assert_eq!(ids, [0, 0, 1]);
    }
}
