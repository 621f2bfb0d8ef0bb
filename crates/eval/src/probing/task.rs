//! What a probe has to tell of clips.

use prevision_core::config::Registry;

/// The tasks that are registered, each made for the clips that an encoder sees.
pub type ProbeTasks = Registry<ClipShape, Box<dyn ProbeTask>>;

/// The clips that an encoder sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipShape {
    /// Frames in a clip.
    pub frames: usize,
    /// Frames that a token covers.
    pub tubelet: usize,
}

/// Some frames of a clip in some order, and the class that a probe has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Indices of the frames, as many as the encoder sees.
    pub frames: Vec<usize>,
    /// The class.
    pub class: i64,
}

/// A task: which views of a clip a probe sees, and which class each is of.
pub trait ProbeTask: Send + Sync {
    /// Frames of the clips that views are taken from.
    fn span(&self) -> usize;

    /// The views of a clip of [`span`](Self::span) frames whose video has this label; none if the clip is of no use.
    fn views(&self, label: Option<i64>) -> Vec<View>;

    /// Whether views have classes only where videos have labels.
    fn needs_labels(&self) -> bool {
        false
    }

    /// What a class is called.
    fn class_name(&self, class: i64) -> String {
        class.to_string()
    }
}
