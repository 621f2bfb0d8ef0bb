//! The uint8 frames that every reader fills.

/// A block of upright 8-bit RGB frames of one size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameBuffer {
    /// Pixels, `[frames, height, width, 3]` in row-major order.
    pub data: Vec<u8>,
    /// Number of frames.
    pub frames: usize,
    /// Rows of a frame, pixels.
    pub height: usize,
    /// Columns of a frame, pixels.
    pub width: usize,
}

impl FrameBuffer {
    /// A black buffer of shape `[frames, height, width, 3]`.
    pub fn new(frames: usize, height: usize, width: usize) -> Self {
        Self { data: vec![0; frames * height * width * 3], frames, height, width }
    }

    /// Gives the buffer another shape. The memory is kept when it is large enough; the pixels are unspecified afterwards.
    pub fn reshape(&mut self, frames: usize, height: usize, width: usize) {
        self.data.resize(frames * height * width * 3, 0);
        (self.frames, self.height, self.width) = (frames, height, width);
    }

    /// Bytes of one frame.
    pub fn frame_bytes(&self) -> usize {
        self.height * self.width * 3
    }

    /// The pixels of frame `index`, `[height, width, 3]`.
    pub fn frame(&self, index: usize) -> &[u8] {
        let bytes = self.frame_bytes();
        &self.data[index * bytes..][..bytes]
    }

    /// The pixels of frame `index`, to write to.
    pub fn frame_mut(&mut self, index: usize) -> &mut [u8] {
        let bytes = self.frame_bytes();
        &mut self.data[index * bytes..][..bytes]
    }

    /// Writes a copy of frame `from` over frame `to`.
    pub fn duplicate(&mut self, from: usize, to: usize) {
        let bytes = self.frame_bytes();
        self.data.copy_within(from * bytes..(from + 1) * bytes, to * bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::FrameBuffer;

    #[test]
    fn frames_lie_one_after_the_other() {
        let mut buffer = FrameBuffer::new(3, 2, 5);
        buffer.frame_mut(1).fill(7);
        buffer.duplicate(1, 2);
        assert_eq!(buffer.data[..30], [0; 30]);
        assert_eq!(buffer.data[30..], [7; 60]);
        buffer.reshape(1, 1, 2);
        assert_eq!((buffer.data.len(), buffer.frame_bytes()), (6, 6));
    }
}
