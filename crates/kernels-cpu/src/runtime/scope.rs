//! Level and precision of the work inside a closure.

use std::cell::Cell;

use super::{Level, Precision, Runtime};

/// What the work on a thread runs with instead of the process's level and precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(super) level: Level,
    pub(super) precision: Precision,
}

thread_local! {
    static CURRENT: Cell<Option<Scope>> = const { Cell::new(None) };
}

impl Scope {
    /// The scope that this thread is in, if any.
    pub(super) fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// Runs `work` in this scope.
    pub(crate) fn run<R>(self, work: impl FnOnce() -> R) -> R {
        struct Restore(Option<Scope>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(Some(self)));
        work()
    }
}

impl From<Runtime> for Scope {
    fn from(Runtime { level, precision, .. }: Runtime) -> Self {
        Self { level, precision }
    }
}

/// Runs `work` with products in this precision, and their backward passes too, whenever and on whichever thread those
/// run. Sums, norms, softmax and losses stay in float32, and so do the tensors.
pub fn with_precision<R>(precision: Precision, work: impl FnOnce() -> R) -> R {
    Scope { precision, ..Scope::from(Runtime::current()) }.run(work)
}

/// Runs `work` with kernels of this level, and their backward passes too, whenever and on whichever thread those run.
pub fn with_level<R>(level: Level, work: impl FnOnce() -> R) -> R {
    Scope { level, ..Scope::from(Runtime::current()) }.run(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_nest_and_end() {
        let outside = Runtime::current();
        with_level(Level::PORTABLE, || {
            with_precision(Precision::Bfloat16, || {
                let expected = Runtime { level: Level::PORTABLE, precision: Precision::Bfloat16, ..outside };
                assert_eq!(Runtime::current(), expected);
            });
            assert_eq!(Runtime::current(), Runtime { level: Level::PORTABLE, ..outside });
        });
        assert_eq!(Runtime::current(), outside);
    }

    #[test]
    fn a_panic_ends_its_scope() {
        let outside = Runtime::current();
        let work = || with_precision(Precision::Bfloat16, || panic!("on purpose"));
        assert!(std::panic::catch_unwind(work).is_err());
        assert_eq!(Runtime::current(), outside);
    }
}
