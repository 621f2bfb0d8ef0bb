//! Clips out of video folders, recorded episodes and synthetic video; transforms and the loader.
