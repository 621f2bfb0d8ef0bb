//! Frames out of video files and video files out of frames, through FFmpeg.
