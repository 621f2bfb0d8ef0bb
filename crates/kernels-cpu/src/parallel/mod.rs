//! Work spread over the threads.
//!
//! A kernel cuts its work into tasks and gives them to `each`, which returns when all are done. The threads wait for the next kernel
//! awake for a moment before they sleep, since waking one takes longer than many kernels do. Work that calls kernels itself goes through
//! [`map`].

mod team;
mod threads;

pub(crate) use threads::start;
pub use threads::{Threads, threads};

use std::cell::UnsafeCell;

use super::runtime::{Runtime, Scope};

/// Does `work` with every task, on all threads; which of them does which, and when, is not determined. Tasks of tasks are done
/// one after the other, by the thread that meets them.
#[allow(unsafe_code)]
pub(crate) fn each<T: Send>(tasks: impl IntoIterator<Item = T>, work: impl Fn(T) + Sync) {
    let tasks: Vec<Slot<Option<T>>> = tasks.into_iter().map(|task| Slot(UnsafeCell::new(Some(task)))).collect();
    threads::run(tasks.len(), &|index| {
        // SAFETY: every index is given to one thread once, and this is the only place that looks into the slot meanwhile.
        let task = unsafe { (*tasks[index].0.get()).take() };
        work(task.expect("a task is done once"));
    });
}

/// What each task gives, in the order of the tasks.
#[allow(unsafe_code)]
pub(crate) fn collect<T: Send, R: Send>(tasks: impl IntoIterator<Item = T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let tasks: Vec<T> = tasks.into_iter().collect();
    let mut results: Vec<Option<R>> = tasks.iter().map(|_| None).collect();
    each(tasks.into_iter().zip(&mut results), |(task, result)| *result = Some(work(task)));
    results.into_iter().map(|result| result.expect("every task was done")).collect()
}

/// Applies `work` to every item, on all threads, with the level and precision of the calling thread; the results are in the order of
/// the items. Fewer items than threads are worked on one after the other, each by all threads in the kernels that it calls.
///
/// Work that calls kernels is spread by this function alone: it takes the scope of its caller to the other threads.
pub fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    if items.len() < threads() {
        return items.into_iter().map(work).collect();
    }
    let scope = Scope::from(Runtime::current());
    collect(items, |item| scope.run(|| work(item)))
}

/// A place that one thread at a time looks into.
struct Slot<T>(UnsafeCell<T>);

// SAFETY: `each` alone makes slots, and lets one thread at a time look into one; what is inside may go to other threads.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for Slot<T> {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{Precision, with_precision};

    #[test]
    fn every_task_is_done_once() {
        for count in [1, 2, 3, 8] {
            let threads = Threads::new(count);
            for tasks in [0, 1, 2, 7, 1000] {
                let found = threads.install(|| collect(0..tasks, |task| 3 * task));
                assert_eq!(
                    found,
                    (0..tasks).map(|task| 3 * task).collect::<Vec<_>>(),
                    "{tasks} tasks, {count} threads"
                );
            }
        }
    }

    #[test]
    fn many_small_regions_follow_each_other() {
        let threads = Threads::new(4);
        let sum = AtomicUsize::new(0);
        threads.install(|| {
            for _ in 0..20_000 {
                each(0..5, |task| {
                    sum.fetch_add(task, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(sum.into_inner(), 20_000 * 10);
    }

    #[test]
    fn tasks_of_tasks_and_of_other_threads_are_done_too() {
        let threads = Threads::new(3);
        let nested = || threads.install(|| collect(0..20, |task| collect(0..task, |inner| inner).len()));
        let expected: Vec<usize> = (0..20).collect();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..200).map(|_| nested()).collect::<Vec<_>>())).collect();
            for found in all.into_iter().flat_map(|thread| thread.join().unwrap()) {
                assert_eq!(found, expected);
            }
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_threads_go_on() {
        let threads = Threads::new(3);
        for _ in 0..50 {
            let panics = || threads.install(|| each(0..100, |task| assert!(task != 57, "on purpose")));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
            assert_eq!(threads.install(|| collect(0..10, |task| task).len()), 10);
        }
    }

    #[test]
    fn tasks_run_in_the_scope_of_their_caller() {
        let precisions = || map((0..100).collect(), |index| (index, Runtime::current().precision));
        let threads = Threads::new(3);
        for precision in [Precision::Float32, Precision::Bfloat16].repeat(20) {
            let found = threads.install(|| with_precision(precision, precisions));
            assert_eq!(found, (0..100).map(|index| (index, precision)).collect::<Vec<_>>());
        }
    }
}
