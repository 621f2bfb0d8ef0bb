//! Clips that are planned before they are read: which frames of which file.

use std::collections::BTreeMap;

use prevision_core::Clip;

use crate::clips::Sampler;
use crate::{ClipRequest, DataError, Found, SkippedFile};

/// A data set that can tell what it will decode. Its clips of one video are read in one pass.
pub(super) trait PlannedClips {
    /// Which frames make a clip.
    type Plan;

    /// The choice of videos.
    fn sampler(&self) -> &Sampler;

    /// Which frames of a video the request asks for; an error if the video cannot be used.
    fn plan(&self, video: usize, request: &ClipRequest) -> Result<Self::Plan, SkippedFile>;

    /// Pixels that have to be decoded for a clip.
    fn work(&self, plan: &Self::Plan) -> u64;

    /// The clips of one video, one for each plan.
    fn read(&self, video: usize, plans: Vec<(Self::Plan, &ClipRequest)>) -> Result<Vec<Clip>, SkippedFile>;

    /// Reads a clip: of the request's video or, if that cannot be used and the draw is random, of the next one in the request's own
    /// random order.
    fn planned_clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        self.sampler().first_usable(request, |video| {
            let plan = self.plan(video, request)?;
            Ok(self.read(video, vec![(plan, request)])?.swap_remove(0))
        })
    }

    /// The same for several requests, those of one video in one pass.
    fn planned_clips(&self, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        let mut planned: BTreeMap<usize, Vec<(usize, Self::Plan)>> = BTreeMap::new();
        if requests.len() > 1 {
            for (place, request) in requests.iter().enumerate() {
                let plan = self.sampler().first_usable(request, |video| Ok((video, self.plan(video, request)?)));
                if let Ok((video, plan)) = plan {
                    planned.entry(video).or_default().push((place, plan));
                }
            }
        }
        let mut clips: Vec<Option<Clip>> = requests.iter().map(|_| None).collect();
        for (video, plans) in planned {
            let (places, plans): (Vec<usize>, Vec<_>) =
                plans.into_iter().map(|(place, plan)| (place, (plan, &requests[place]))).unzip();
            for (place, clip) in places.into_iter().zip(self.read(video, plans).into_iter().flatten()) {
                clips[place] = Some(clip);
            }
        }
        // What could not be read together is read alone, so that a damaged frame spoils only the clip that it is in.
        clips
            .into_iter()
            .zip(requests)
            .map(|(clip, request)| clip.map_or_else(|| self.planned_clip(request), Ok))
            .collect()
    }

    /// What a request will be read from, unless its clip turns out to be damaged.
    fn planned_find(&self, request: &ClipRequest) -> Found {
        let found = self.sampler().first_usable(request, |video| {
            let plan = self.plan(video, request)?;
            Ok(Found { video, work: self.work(&plan) })
        });
        // The error surfaces when the clip is read.
        found.unwrap_or(Found { video: request.video, work: 0 })
    }
}
