//! `order`: in which order the parts of a clip are shown (Xu et al. 2019, "Self-Supervised Spatiotemporal Learning via Video Clip Order
//! Prediction").

use prevision_core::config::{Options, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check_time;
use crate::probing::{ClipShape, ProbeTask, View};

/// Keys of `task.order`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OrderKeys {
    /// Parts of a clip, each of whole tubelets; at most as many as there are tubelets. Default 3, which makes six classes.
    segments: usize,
}

impl Default for OrderKeys {
    fn default() -> Self {
        Self { segments: 3 }
    }
}

impl Options for OrderKeys {
    fn validate(&self) -> Result<(), String> {
        check("segments", self.segments as f64).within(2.0, 4.0)?.done()
    }
}

/// Every clip in every order of its parts.
pub(super) struct Order {
    frames: usize,
    /// The frames of each part.
    segments: Vec<Vec<usize>>,
    /// Orders of the parts, the true one first.
    orders: Vec<Vec<usize>>,
}

impl Order {
    pub(super) fn new(keys: &OrderKeys, shape: ClipShape) -> Result<Self, String> {
        check_time(shape)?;
        let ClipShape { frames, tubelet } = shape;
        let tubelets = frames / tubelet;
        let count = keys.segments.min(tubelets);
        if count < 2 {
            return Err("clips of 1 tubelet have no order: choose more frames".to_owned());
        }
        // The last part has the tubelets that are left over.
        let length = tubelets / count * tubelet;
        let segment = |part: usize| {
            let end = if part + 1 == count { frames } else { (part + 1) * length };
            (part * length..end).collect()
        };
        Ok(Self { frames, segments: (0..count).map(segment).collect(), orders: permutations(count) })
    }
}

impl ProbeTask for Order {
    fn span(&self) -> usize {
        self.frames
    }

    fn views(&self, _: Option<i64>) -> Vec<View> {
        let view = |(class, order): (usize, &Vec<usize>)| View {
            frames: order.iter().flat_map(|&part| self.segments[part].iter().copied()).collect(),
            class: class as i64,
        };
        self.orders.iter().enumerate().map(view).collect()
    }

    fn class_name(&self, class: i64) -> String {
        let order = usize::try_from(class).ok().and_then(|class| self.orders.get(class));
        let parts: Vec<String> = order.into_iter().flatten().map(ToString::to_string).collect();
        parts.join(" ")
    }
}

/// All orders of `0..count`, ascending as words.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for _ in 0..count {
        let longer = |order: Vec<usize>| {
            let missing = (0..count).filter(|part| !order.contains(part)).collect::<Vec<_>>();
            missing.into_iter().map(move |part| [order.clone(), vec![part]].concat())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}
