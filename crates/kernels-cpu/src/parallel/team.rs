//! Threads that do the tasks of one region at a time.
//!
//! A region is the tasks of one call. Its caller writes down what is to be done, opens the gate, does tasks itself until none is left,
//! closes the gate, and waits for those who are still inside. The gate is one number, whether it is open and how many are inside, so that
//! nobody enters a region that has ended.
//!
//! Each thread has a range of tasks of its own, the same in every region of so many tasks: what a kernel wrote is in the cache of the
//! thread that reads it next. Who is done takes tasks of the others. A thread without work looks out for the next region for a moment,
//! then it sleeps.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// How long a thread looks out for work before it sleeps.
const AWAKE: Duration = Duration::from_micros(200);
/// Looks between two that ask the clock and let others have the core.
const LOOKS: usize = 64;
/// The gate is open; threads inside are counted in units of `INSIDE`.
const OPEN: usize = 1;
const INSIDE: usize = 2;

/// A number on a cache line that nothing else is on.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Alone<T>(T);

/// The work of a region.
#[derive(Clone, Copy)]
struct Region {
    task: *const (dyn Fn(usize) + Sync),
    count: usize,
}

/// See the module.
pub(super) struct Team {
    /// Whether a region is going on; the tasks of another are done by its caller.
    taken: Alone<AtomicBool>,
    gate: Alone<AtomicUsize>,
    /// Regions that have begun.
    begun: Alone<AtomicUsize>,
    region: UnsafeCell<Option<Region>>,
    /// The next task of each thread's range, the caller's first.
    next: Vec<Alone<AtomicUsize>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    sleepers: Vec<Alone<Sleeper>>,
    ends: AtomicBool,
}

#[derive(Debug, Default)]
struct Sleeper {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

// SAFETY: `region` is written while the gate is closed with nobody inside, by the one thread that has `taken` the team, and read by it and
// by threads that have entered the gate after that. What its pointer points to is `Sync`, and stays until they have left.
unsafe impl Sync for Team {}
// SAFETY: the pointer in `region` is used inside regions alone, as above.
unsafe impl Send for Team {}

impl fmt::Debug for Team {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Team").field("workers", &self.workers()).finish_non_exhaustive()
    }
}

impl Team {
    /// A team of so many threads besides the caller of a region; each has to call [`Self::work`].
    pub(super) fn new(workers: usize) -> Self {
        Self {
            taken: Alone::default(),
            gate: Alone::default(),
            begun: Alone::default(),
            region: UnsafeCell::new(None),
            next: (0..=workers).map(|_| Alone::default()).collect(),
            panic: Mutex::new(None),
            sleepers: (0..workers).map(|_| Alone::default()).collect(),
            ends: AtomicBool::new(false),
        }
    }

    /// Threads besides the caller.
    pub(super) fn workers(&self) -> usize {
        self.sleepers.len()
    }

    /// Does the tasks `0 .. count`, each once, and returns when all are done.
    pub(super) fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        if count < 2 || self.workers() == 0 || self.taken.0.swap(true, Ordering::Acquire) {
            (0..count).for_each(task);
            return;
        }
        // SAFETY: the lifetime is forgotten; the pointer is used by threads inside the gate alone, and this function does not return
        // before the gate is closed with nobody inside.
        let task: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(task) };
        let region = Region { task, count };
        // SAFETY: the gate is closed and nobody inside, since the last region ended that way, and `taken` keeps other callers out.
        unsafe { *self.region.get() = Some(region) };
        for (index, next) in self.next.iter().enumerate() {
            next.0.store(self.range(index, count).0, Ordering::Relaxed);
        }
        // Who enters the gate sees what was written before it was opened.
        self.gate.0.fetch_or(OPEN, Ordering::Release);
        // This comes before the looks at who sleeps, and a sleeper's last look at it after the sleeper has said that it sleeps: one of
        // both sees the other.
        self.begun.0.fetch_add(1, Ordering::SeqCst);
        self.sleepers.iter().take(count - 1).for_each(|sleeper| sleeper.0.wake());
        self.take_part(0, region);
        self.gate.0.fetch_and(!OPEN, Ordering::AcqRel);
        let mut looks = 0;
        while self.gate.0.load(Ordering::Acquire) != 0 {
            looks += 1;
            if looks % LOOKS == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.taken.0.store(false, Ordering::Release);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// The range of tasks of a thread.
    fn range(&self, thread: usize, count: usize) -> (usize, usize) {
        let threads = self.next.len();
        (thread * count / threads, (thread + 1) * count / threads)
    }

    /// Does tasks, first of this thread's range, until none is left. A panic ends that, and is kept.
    fn take_part(&self, thread: usize, Region { task, count }: Region) {
        // SAFETY: this thread is inside the gate or has opened it, so that what the pointer points to is there.
        let task = unsafe { &*task };
        let threads = self.next.len();
        let all = || {
            for of in (thread..threads).chain(0..thread) {
                let end = self.range(of, count).1;
                loop {
                    let index = self.next[of].0.fetch_add(1, Ordering::Relaxed);
                    if index >= end {
                        break;
                    }
                    task(index);
                }
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(all)) {
            self.next.iter().for_each(|next| next.0.store(count, Ordering::Relaxed));
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
    }

    /// What worker `index` does until the team ends.
    pub(super) fn work(&self, index: usize) {
        let sleeper = &self.sleepers[index].0;
        sleeper.thread.get_or_init(std::thread::current);
        let mut seen = 0;
        while !self.ends.load(Ordering::SeqCst) {
            let Some(begun) = self.look_out(seen) else {
                sleeper.sleep(|| self.begun.0.load(Ordering::SeqCst) != seen || self.ends.load(Ordering::SeqCst));
                continue;
            };
            seen = begun;
            if self.enter() {
                // SAFETY: this thread is inside, so that nobody writes the region.
                if let Some(region) = unsafe { *self.region.get() } {
                    self.take_part(index + 1, region);
                }
                self.gate.0.fetch_sub(INSIDE, Ordering::Release);
            }
        }
    }

    /// Waits for a moment until more regions than `seen` have begun, and gives how many.
    fn look_out(&self, seen: usize) -> Option<usize> {
        let since = Instant::now();
        loop {
            for _ in 0..LOOKS {
                let begun = self.begun.0.load(Ordering::Acquire);
                if begun != seen {
                    return Some(begun);
                }
                std::hint::spin_loop();
            }
            if since.elapsed() > AWAKE || self.ends.load(Ordering::Relaxed) {
                return None;
            }
            std::thread::yield_now();
        }
    }

    /// Enters the gate if it is open.
    fn enter(&self) -> bool {
        let enter = |gate: usize| (gate & OPEN != 0).then_some(gate + INSIDE);
        self.gate.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, enter).is_ok()
    }

    /// Has all workers return.
    pub(super) fn end(&self) {
        self.ends.store(true, Ordering::SeqCst);
        self.sleepers.iter().for_each(|sleeper| sleeper.0.wake());
    }
}

impl Sleeper {
    /// Sleeps unless there is something to do, until it is woken; or less long.
    fn sleep(&self, wanted: impl Fn() -> bool) {
        self.asleep.store(true, Ordering::SeqCst);
        if !wanted() {
            std::thread::park();
        }
        self.asleep.store(false, Ordering::Relaxed);
    }

    fn wake(&self) {
        if self.asleep.load(Ordering::SeqCst)
            && self.asleep.swap(false, Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }
}
