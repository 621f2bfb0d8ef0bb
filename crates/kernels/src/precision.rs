//! In which precision the products of this thread are done.
//!
//! An operation takes the precision of the thread that creates it and keeps it for its backward pass, whichever thread runs that.
//! Work that creates operations on other threads takes it along with [`in_this_precision`].

use std::cell::Cell;

pub use crate::cpu::Precision;

thread_local! {
    static CURRENT: Cell<Precision> = const { Cell::new(Precision::Float32) };
}

/// Runs `work` with products in this precision, and their backward passes too, whenever those run. Sums, norms, softmax and losses
/// stay in float32, and so do the tensors.
pub fn with_precision<R>(precision: Precision, work: impl FnOnce() -> R) -> R {
    struct Restore(Precision);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(precision));
    work()
}

/// Work for threads of a pool, in the precision of this one: a pool's thread has its own, or that of whatever it was doing when it
/// took the task up.
pub fn in_this_precision<A, R>(work: impl Fn(A) -> R + Sync) -> impl Fn(A) -> R + Sync {
    let precision = current();
    move |argument| with_precision(precision, || work(argument))
}

/// The precision of this thread's products.
pub(crate) fn current() -> Precision {
    CURRENT.get()
}
