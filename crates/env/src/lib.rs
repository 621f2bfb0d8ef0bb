//! Worlds to act in: dynamics, rendering and the recording of episodes as video.
