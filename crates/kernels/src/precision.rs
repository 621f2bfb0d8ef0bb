//! In which precision the products of this thread are done.

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

/// The precision of this thread's products.
pub(crate) fn current() -> Precision {
    CURRENT.get()
}
