//! Work that calls kernels, spread over the threads.

use rayon::prelude::*;

use super::runtime::{Runtime, Scope};

/// Applies `work` to every item, on all threads, with the level and precision of the calling thread; the results are in
/// the order of the items.
///
/// Work that calls kernels is spread by this function alone: a thread of the pool has the scope of whatever it was
/// doing when it took a task up.
pub fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    let scope = Scope::from(Runtime::current());
    items.into_par_iter().map(|item| scope.run(|| work(item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Precision, with_precision};

    #[test]
    fn tasks_run_in_the_scope_of_their_caller() {
        let precisions = || map((0..100).collect(), |index| (index, Runtime::current().precision));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        // Two callers in different scopes, whose threads take up each other's tasks.
        let both = || {
            let callers = [Precision::Float32, Precision::Bfloat16];
            let callers = callers.map(|precision| move || with_precision(precision, precisions));
            let [exact, rounded] = callers;
            rayon::join(exact, rounded)
        };
        for (exact, rounded) in pool.install(|| (0..20).map(|_| both()).collect::<Vec<_>>()) {
            assert_eq!(exact, (0..100).map(|index| (index, Precision::Float32)).collect::<Vec<_>>());
            assert_eq!(rounded, (0..100).map(|index| (index, Precision::Bfloat16)).collect::<Vec<_>>());
        }
    }
}
