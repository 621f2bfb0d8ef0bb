//! A program that has started rayon's threads itself. Alone in its file, so that it has a process of its own.

use prevision_kernels_cpu::{Runtime, RuntimeError};

#[test]
fn kernels_use_the_threads_of_the_program() {
    rayon::ThreadPoolBuilder::new().num_threads(5).build_global().expect("the first pool");
    let asked = Runtime::from_environment().expect("a level of this machine");
    assert!(matches!(asked.start(), Err(RuntimeError::Threads(_))));
    assert_eq!(Runtime::current(), Runtime { threads: 5, ..asked });
}
