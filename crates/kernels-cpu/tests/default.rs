//! A program that starts no runtime. Alone in its file, so that it has a process of its own.

use prevision_kernels_cpu::Runtime;

#[test]
fn the_first_kernel_starts_what_the_environment_says() {
    let runtime = Runtime::current();
    assert_eq!(runtime, Runtime::from_environment().expect("a level of this machine"));
    assert_eq!(rayon::current_num_threads(), runtime.threads);
    // This thread works, unless it would be alone: then kernels of other threads would wait for it.
    assert_eq!(rayon::current_thread_index(), (runtime.threads > 1).then_some(0));
    runtime.start().expect("the same is running");
}
