//! What is drawn over a frame for people.

/// A path in the coordinates of a world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark<'a> {
    /// What it shows.
    pub kind: MarkKind,
    /// Its points (x, y), in order.
    pub points: &'a [[f32; 2]],
}

/// What a path shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// Where the agent has been, oldest first.
    Trail,
    /// Where a plan says it will go, soonest first.
    Imagined,
}

impl<'a> Mark<'a> {
    /// Where the agent has been, oldest first.
    pub fn trail(points: &'a [[f32; 2]]) -> Self {
        Self { kind: MarkKind::Trail, points }
    }

    /// Where a plan says it will go, soonest first.
    pub fn imagined(points: &'a [[f32; 2]]) -> Self {
        Self { kind: MarkKind::Imagined, points }
    }
}
