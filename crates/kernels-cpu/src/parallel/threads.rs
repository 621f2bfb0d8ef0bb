//! Which threads work: those of the process, or those that a scope was given.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use super::team::Team;

static PROCESS: OnceLock<Threads> = OnceLock::new();

thread_local! {
    static INSTALLED: RefCell<Option<Arc<Team>>> = const { RefCell::new(None) };
}

/// Threads that share the work of kernels with the one that calls them. They end with this value.
///
/// A process has some of its own, as many as its [`Runtime`](crate::Runtime) says; others are for tests of how many there are.
#[derive(Debug)]
pub struct Threads {
    team: Arc<Team>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts all but one of `count` threads, the calling one being the first; fewer if the system gives no more.
    pub fn new(count: usize) -> Self {
        let team = Arc::new(Team::new(count.max(1) - 1));
        let start = |index: usize| {
            let team = Arc::clone(&team);
            let work = move || {
                INSTALLED.replace(Some(Arc::clone(&team)));
                team.work(index);
            };
            std::thread::Builder::new().name(format!("kernel {}", index + 1)).spawn(work).ok()
        };
        let handles = (0..count.max(1) - 1).map_while(start).collect();
        Self { team, handles }
    }

    /// Does work whose kernels, as far as this thread calls them, run on these threads.
    pub fn install<R>(&self, work: impl FnOnce() -> R) -> R {
        struct Restore(Option<Arc<Team>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                INSTALLED.replace(self.0.take());
            }
        }
        let _restore = Restore(INSTALLED.replace(Some(Arc::clone(&self.team))));
        work()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.team.end();
        for handle in self.handles.drain(..) {
            // A worker cannot panic: it keeps what a task panics with for its caller.
            let _ = handle.join();
        }
    }
}

/// Starts the threads of the process, unless it has some.
pub(crate) fn start(count: usize) {
    PROCESS.get_or_init(|| Threads::new(count));
}

/// How many threads share the work of a kernel that this one calls.
pub fn threads() -> usize {
    with_team(|team| team.workers() + 1)
}

/// Does the tasks `0 .. count`.
pub(super) fn run(count: usize, task: &(dyn Fn(usize) + Sync)) {
    with_team(|team| team.run(count, task));
}

fn with_team<R>(work: impl FnOnce(&Team) -> R) -> R {
    // Work of tasks may install others: nothing stays borrowed.
    let installed = INSTALLED.with_borrow(Clone::clone);
    if let Some(team) = installed {
        return work(&team);
    }
    // The first kernel starts the threads of the process.
    let running = PROCESS.get().unwrap_or_else(|| {
        crate::Runtime::current();
        PROCESS.get().expect("a runtime that runs has threads")
    });
    work(&running.team)
}
