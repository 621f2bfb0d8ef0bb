//! A runtime that the program starts. Alone in its file, so that it has a process of its own.

use prevision_kernels_cpu::{Level, Precision, Runtime};

#[test]
fn the_runtime_of_a_process_is_the_one_that_was_started() {
    let runtime = Runtime { level: Level::PORTABLE, precision: Precision::Bfloat16, threads: 3 };
    assert_eq!(
        Runtime { threads: 0, ..runtime }.start().unwrap_err().to_string(),
        "threads is 0, but must be at least 1"
    );
    runtime.start().expect("nothing is running");
    runtime.start().expect("the same is running");
    assert_eq!(Runtime::current(), runtime);
    assert_eq!(std::thread::spawn(Runtime::current).join().expect("a thread"), runtime);
    assert_eq!(
        (rayon::current_num_threads(), rayon::current_thread_index()),
        (3, Some(0)),
        "this thread is one of them"
    );
    let message = Runtime { threads: 2, ..runtime }.start().unwrap_err().to_string();
    for part in ["portable with bf16 on 3 threads is running", "portable with bf16 on 2 threads is asked for"] {
        assert!(message.contains(part), "{message}");
    }
}
