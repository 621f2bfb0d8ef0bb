//! A part of a picture.

/// A rectangle of an upright picture, in stored pixels from the top left corner; its edges may lie between pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Columns.
    pub width: f64,
    /// Rows.
    pub height: f64,
}

impl Window {
    /// A whole picture of this size.
    pub fn whole(width: usize, height: usize) -> Self {
        Self { x: 0.0, y: 0.0, width: width as f64, height: height as f64 }
    }

    /// Whether it lies in a picture of this size and has an area. Edges may stick out by what rounding costs.
    pub fn fits(&self, width: usize, height: usize) -> bool {
        const SLACK: f64 = 1e-6;
        let inside = |start: f64, extent: f64, whole: usize| {
            start.is_finite()
                && extent.is_finite()
                && extent > 0.0
                && start >= -SLACK
                && start + extent <= whole as f64 + SLACK
        };
        inside(self.x, self.width, width) && inside(self.y, self.height, height)
    }

    /// The same part of a picture that is larger by these factors.
    #[must_use]
    pub fn scale(&self, across: f64, down: f64) -> Self {
        Self { x: self.x * across, y: self.y * down, width: self.width * across, height: self.height * down }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn windows_lie_inside() {
        assert!(Window::whole(3, 5).fits(3, 5));
        assert!(!Window::whole(3, 5).fits(3, 4));
        assert!(!Window { x: 0.5, ..Window::whole(3, 5) }.fits(3, 5));
        assert!(!Window { width: 0.0, ..Window::whole(3, 5) }.fits(3, 5));
        assert!(!Window { y: f64::NAN, ..Window::whole(3, 5) }.fits(3, 5));
    }
}
