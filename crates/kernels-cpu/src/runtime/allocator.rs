//! Keeping memory between training steps.
//!
//! By default glibc asks the system for every large block anew and gives it back at once, so that each tensor of each
//! step costs page faults: about a fifth of the samples in a profile of training on the CPU. With higher thresholds
//! freed blocks stay with the process and are used again.
#![allow(unsafe_code)]

/// Tells glibc to keep freed memory; does nothing with another C library.
pub(super) fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGEST_BLOCK: libc::c_int = 1 << 30;
        // SAFETY: `mallopt` locks the allocator's main arena and stores one word for each setting; a thread that
        // allocates meanwhile reads the word from before or after, and either is a valid setting.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_BLOCK);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        }
    }
}
