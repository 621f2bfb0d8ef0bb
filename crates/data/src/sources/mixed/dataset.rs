//! Clips out of several data sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use prevision_core::config::check::message;
use prevision_core::{Array2, Clip, Spaces};

use super::actions::{self, MixedActions};
use super::order::{epoch_visits, interleaved};
use super::{MixedOptions, PartOptions, key, streams};
use crate::{ClipDataset, ClipRequest, DataError, Found, SkippedFile};

/// One of the data sets.
struct Part {
    clips: Arc<dyn ClipDataset>,
    /// Names of streams in the mix by those in the data set.
    names: BTreeMap<String, String>,
    /// The number in the mix of each of its videos.
    numbers: Vec<usize>,
    /// The mask of its actions at every moment of a clip.
    mask: Option<Array2>,
}

/// One side of several data sets.
pub(super) struct MixedClips {
    parts: Vec<Part>,
    /// Part and number there of each video.
    videos: Vec<(usize, usize)>,
    weights: Vec<f64>,
    actions: MixedActions,
    /// Name of the stream of masks.
    mask: String,
    spaces: Spaces,
}

impl MixedClips {
    /// # Errors
    /// If the streams of the data sets do not fit together.
    pub(super) fn new(
        options: &MixedOptions,
        parts: Vec<(&PartOptions, Arc<dyn ClipDataset>)>,
    ) -> Result<Self, String> {
        let mut all = Vec::new();
        let mut named = Vec::new();
        for (number, (options, clips)) in parts.iter().enumerate() {
            let spaces = streams::renamed(number, clips.spaces(), &options.rename)?;
            streams::check_same(all.first().unwrap_or(&spaces), number, &spaces)?;
            named.push((actions::names(number, options.actions.as_deref(), &spaces)?, spaces.action.clone()));
            all.push(spaces);
        }
        let actions = MixedActions::new(&named);
        let mut spaces = Spaces { action: actions.space.clone(), ..all.swap_remove(0) };
        let masked = actions.is_padded() && !options.action_mask.is_empty();
        if masked {
            let name = &options.action_mask;
            if spaces.cameras.contains_key(name) || spaces.vectors.insert(name.clone(), actions.width()).is_some() {
                let allowed = "a name that no stream of the data sets has";
                return Err(message("data.source.action_mask", format_args!("{name:?}"), allowed));
            }
        }
        let mut numbers = vec![vec![]; parts.len()];
        let of_part = interleaved(&parts.iter().map(|(_, clips)| clips.videos()).collect::<Vec<_>>());
        let mut videos = Vec::with_capacity(of_part.len());
        for (number, part) in of_part.into_iter().enumerate() {
            videos.push((part, numbers[part].len()));
            numbers[part].push(number);
        }
        if let Some(part) = numbers.iter().position(Vec::is_empty) {
            return Err(format!("{} has no video on this side of the split", key(part)));
        }
        // However large they are, their sum is a number.
        let largest = parts.iter().map(|(options, _)| options.weight).fold(0.0, f64::max);
        let weights = parts.iter().map(|(options, _)| options.weight / largest).collect();
        let mask = |part: usize| {
            let rows = vec![actions.mask(part); spaces.frames].concat();
            masked.then(|| Array2::new(rows, spaces.frames, actions.width()))
        };
        let parts = parts.into_iter().zip(numbers).enumerate().map(|(number, ((options, clips), numbers))| Part {
            clips,
            names: options.rename.clone(),
            numbers,
            mask: mask(number),
        });
        let parts = parts.collect();
        Ok(Self { parts, videos, weights, actions, mask: options.action_mask.clone(), spaces })
    }

    /// The part that a request asks for, and what it is asked.
    fn of_part(&self, request: &ClipRequest) -> (usize, ClipRequest) {
        let (part, video) = self.videos[request.video];
        (part, ClipRequest { video, ..*request })
    }

    /// A clip of a part as one of the mix.
    fn mixed(&self, number: usize, mut clip: Clip) -> Clip {
        let part = &self.parts[number];
        if !part.names.is_empty() {
            let renamed = |name: String| part.names.get(&name).cloned().unwrap_or(name);
            let seen = std::mem::take(&mut clip.observations);
            let cameras = seen.cameras.into_iter().map(|(name, frames)| (renamed(name), frames));
            clip.observations.cameras = cameras.collect();
            clip.observations.vectors = seen.vectors.into_iter().map(|(name, rows)| (renamed(name), rows)).collect();
        }
        clip.observations.vectors.extend(part.mask.clone().map(|mask| (self.mask.clone(), mask)));
        clip.actions = self.actions.padded(number, clip.actions, &self.spaces);
        // Different videos have different numbers, and those of one data set alone keep theirs.
        clip.source.video = clip.source.video * self.parts.len() + number;
        clip
    }
}

impl ClipDataset for MixedClips {
    fn videos(&self) -> usize {
        self.videos.len()
    }

    fn clips_per_video(&self) -> usize {
        self.parts[0].clips.clips_per_video()
    }

    fn order(&self, seed: u64, epoch: u64) -> Vec<usize> {
        let videos: Vec<usize> = self.parts.iter().map(|part| part.numbers.len()).collect();
        let visits = epoch_visits(seed, epoch, &self.weights, &videos);
        visits.into_iter().map(|(part, video)| self.parts[part].numbers[video]).collect()
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        let (part, request) = self.of_part(request);
        Ok(self.mixed(part, self.parts[part].clips.clip(&request)?))
    }

    fn clips(&self, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        let mut asked: BTreeMap<usize, Vec<(usize, ClipRequest)>> = BTreeMap::new();
        for (place, request) in requests.iter().enumerate() {
            let (part, request) = self.of_part(request);
            asked.entry(part).or_default().push((place, request));
        }
        let mut clips = Vec::with_capacity(requests.len());
        for (part, asked) in asked {
            let (places, requests): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
            let read = self.parts[part].clips.clips(&requests).into_iter();
            clips.extend(places.into_iter().zip(read.map(|clip| clip.map(|clip| self.mixed(part, clip)))));
        }
        clips.sort_unstable_by_key(|(place, _)| *place);
        clips.into_iter().map(|(_, clip)| clip).collect()
    }

    fn find(&self, request: &ClipRequest) -> Found {
        let (part, request) = self.of_part(request);
        let part = &self.parts[part];
        let found = part.clips.find(&request);
        Found { video: part.numbers[found.video], ..found }
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        self.parts.iter().flat_map(|part| part.clips.skipped()).collect()
    }

    fn decoded_frames(&self) -> u64 {
        self.parts.iter().map(|part| part.clips.decoded_frames()).sum()
    }
}
