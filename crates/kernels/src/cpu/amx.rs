//! Advanced Matrix Extensions: products of 16 x 16 tiles of bfloat16 with float32 accumulation.
#![allow(unsafe_code)]

/// Asks the system for the use of tile registers. False when the processor or the system has none.
///
/// Linux grants the state of tiles to a process on request (Intel, "Intel AMX instruction set reference"; Linux,
/// `Documentation/arch/x86/xstate.rst`).
pub(crate) fn request() -> bool {
    #[cfg(target_os = "linux")]
    {
        const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
        const TILE_DATA: libc::c_long = 18;
        // Leaf 7 of CPUID, register EDX: bit 22 is AMX-BF16, bit 24 AMX-TILE.
        let edx = std::arch::x86_64::__cpuid_count(7, 0).edx;
        if edx & (1 << 22) == 0 || edx & (1 << 24) == 0 {
            return false;
        }
        // SAFETY: the call takes two integers and changes what this process may use, nothing else.
        return unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) } == 0;
    }
    #[cfg(not(target_os = "linux"))]
    false
}
