//! Job tokens: one pool for our own compilations, cargo, make and ninja; and parallel work.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Cancel;
#[cfg(feature = "run")]
use super::Env;
#[cfg(all(unix, feature = "run"))]
use super::inherited::Inherited;

/// Pool of job tokens, shared with child processes that support make's jobserver protocol.
#[derive(Clone)]
pub struct Jobs {
    pool: Pool,
    count: usize,
}

#[derive(Clone)]
enum Pool {
    /// Pipe of this process.
    #[cfg(feature = "run")]
    Own {
        client: jobserver::Client,
        /// Held while a free token is read, so that two threads do not read the same one.
        looking: Arc<Mutex<()>>,
    },
    /// Pipe of the cargo or make that started this process.
    #[cfg(all(unix, feature = "run"))]
    Inherited(Inherited),
    /// Counter in this process, on a system without such pipes. Children run one job each.
    Counter(Arc<Counter>),
}

/// Number of free tokens, and the condition that one was returned.
struct Counter {
    free: Mutex<usize>,
    returned: Condvar,
}

impl Counter {
    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Right to run one job; returned to the pool when dropped.
#[derive(Debug)]
pub struct Token {
    _token: Held,
}

#[derive(Debug)]
#[allow(dead_code, reason = "held, and returned when dropped")]
enum Held {
    #[cfg(feature = "run")]
    Own(jobserver::Acquired),
    #[cfg(all(unix, feature = "run"))]
    Inherited(super::inherited::Token),
    Counter(Counted),
}

/// Token of a [`Counter`].
struct Counted(Arc<Counter>);

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counted")
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.returned.notify_one();
    }
}

impl Jobs {
    /// Creates a pool of `count` tokens (at least one). On a system without such pipes the tokens
    /// are counted in this process.
    pub fn new(count: usize) -> Self {
        let count = count.max(1);
        #[cfg(feature = "run")]
        if let Ok(client) = jobserver::Client::new(count) {
            return Self { pool: Pool::Own { client, looking: Arc::default() }, count };
        }
        Self { pool: Pool::counter(count), count }
    }

    /// Opens the pool that the variables of a cargo or make name (`CARGO_MAKEFLAGS`, `MAKEFLAGS`).
    /// This process already holds one of its tokens, and uses at most `count`. Creates a new pool
    /// if they name none, or if it cannot be opened.
    ///
    /// On Linux all forms of the variables are supported, on other Unix systems only `fifo:`.
    #[cfg(feature = "run")]
    pub fn inherited(env: &Env, count: usize) -> Self {
        let count = count.max(1);
        #[cfg(all(unix, feature = "run"))]
        {
            let names = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];
            let pool = names.into_iter().filter_map(|name| env.get(name)).find_map(Inherited::open);
            if let Some(pool) = pool {
                return Self { pool: Pool::Inherited(pool), count };
            }
        }
        let _ = env;
        Self::new(count)
    }

    /// Returns the number of tokens, which is the largest useful number of threads.
    pub fn count(&self) -> usize {
        self.count
    }

    /// True if the tokens are those of a cargo or make that started this process.
    pub fn is_inherited(&self) -> bool {
        match self.pool {
            #[cfg(all(unix, feature = "run"))]
            Pool::Inherited(_) => true,
            _ => false,
        }
    }

    /// Waits for a token.
    ///
    /// # Errors
    /// Returns an error if the pipe is broken.
    pub fn acquire(&self) -> io::Result<Token> {
        let token = match &self.pool {
            #[cfg(feature = "run")]
            Pool::Own { client, .. } => Held::Own(client.acquire()?),
            #[cfg(all(unix, feature = "run"))]
            Pool::Inherited(pool) => Held::Inherited(pool.acquire()?),
            Pool::Counter(counter) => {
                let mut free = counter.free();
                while *free == 0 {
                    free = counter.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
                }
                *free -= 1;
                Held::Counter(Counted(Arc::clone(counter)))
            }
        };
        Ok(Token { _token: token })
    }

    /// Returns a token if one is free now.
    pub fn try_acquire(&self) -> Option<Token> {
        match &self.pool {
            #[cfg(feature = "run")]
            Pool::Own { client, looking } => {
                // The thread that holds this mutex waits for a token if another process reads the
                // free one first. The calling thread may hold the token that it waits for, so it
                // must not wait for the mutex.
                let _looking = match looking.try_lock() {
                    Ok(looking) => looking,
                    Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                    Err(std::sync::TryLockError::WouldBlock) => return None,
                };
                let is_free = client.available().is_ok_and(|free| free > 0);
                if is_free { self.acquire().ok() } else { None }
            }
            #[cfg(all(unix, feature = "run"))]
            Pool::Inherited(pool) => {
                Some(Token { _token: Held::Inherited(pool.try_acquire().ok()??) })
            }
            Pool::Counter(counter) => {
                let mut free = counter.free();
                *free = free.checked_sub(1)?;
                Some(Token { _token: Held::Counter(Counted(Arc::clone(counter))) })
            }
        }
    }

    /// Runs `work` on each of `items` in parallel, each with a token, and returns the results in
    /// the order of the items; `None` for items that were not begun before the user stopped us.
    /// If the pipe of the tokens is broken, the work is done without them, by the same number of
    /// threads.
    pub fn map<T: Sync, R: Send>(
        &self,
        cancel: &Cancel,
        items: &[T],
        work: impl Fn(&T) -> R + Sync,
    ) -> Vec<Option<R>> {
        let results = Results::new(items.len());
        let worker = || {
            results.fill(
                || cancel.is_cancelled(),
                |at| {
                    let _token = self.acquire().ok();
                    work(&items[at])
                },
            );
        };
        std::thread::scope(|scope| {
            for _ in 1..self.count.min(items.len()) {
                scope.spawn(worker);
            }
            worker();
        });
        results.done()
    }

    /// Like [`Jobs::map`], for work that can fail: no further item is begun after a failure.
    /// Returns `None` if the user cancelled the operation.
    ///
    /// # Errors
    /// Returns the error of the first item that failed, in the order of the items.
    pub fn try_map<T: Sync, R: Send, E: Send>(
        &self,
        cancel: &Cancel,
        items: &[T],
        work: impl Fn(&T) -> Result<R, E> + Sync,
    ) -> Result<Option<Vec<R>>, E> {
        let failed = AtomicBool::new(false);
        let results = self.map(cancel, items, |item| {
            if failed.load(Ordering::Relaxed) {
                return None;
            }
            let result = work(item);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            Some(result)
        });
        let mut all = Some(Vec::with_capacity(items.len()));
        for result in results {
            match (result.flatten().transpose()?, &mut all) {
                (Some(result), Some(all)) => all.push(result),
                _ => all = None,
            }
        }
        Ok(all)
    }

    /// Runs `work` on the numbers below `count`, and returns the results in order; `None` for those
    /// that were not begun before the user stopped us. The calling thread works under the token
    /// that it holds; further threads come while tokens are free. Each thread has its own `state`.
    pub fn map_held<S, R: Send>(
        &self,
        cancel: &Cancel,
        count: usize,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize) -> R + Sync,
    ) -> Vec<Option<R>> {
        let results = Results::new(count);
        let worker = |token: Option<Token>| {
            let mut state = state();
            results.fill(|| cancel.is_cancelled(), |at| work(&mut state, at));
            drop(token);
        };
        std::thread::scope(|scope| {
            let mut threads = 1;
            let mut state = state();
            results.fill(
                || cancel.is_cancelled(),
                |at| {
                    // Between two items, further tokens are requested.
                    if at + 1 < count
                        && threads < self.count
                        && let Some(token) = self.try_acquire()
                    {
                        threads += 1;
                        let worker = &worker;
                        scope.spawn(move || worker(Some(token)));
                    }
                    work(&mut state, at)
                },
            );
        });
        results.done()
    }

    /// Passes the pool to the child of `command`, so that it can use tokens.
    #[cfg(feature = "run")]
    pub(super) fn share(&self, command: &mut std::process::Command) {
        match &self.pool {
            // make reads `MAKEFLAGS`, cargo a variable of its own.
            Pool::Own { client, .. } => client.configure_make(command),
            #[cfg(all(unix, feature = "run"))]
            Pool::Inherited(pool) => pool.share(command),
            Pool::Counter(_) => drop(command.env("CARGO_BUILD_JOBS", "1")),
        }
    }
}

impl Pool {
    fn counter(count: usize) -> Self {
        let (free, returned) = (Mutex::new(count), Condvar::new());
        Self::Counter(Arc::new(Counter { free, returned }))
    }
}

/// Results of parallel work, and the number of the next item.
struct Results<R> {
    next: AtomicUsize,
    done: Mutex<Vec<Option<R>>>,
}

impl<R> Results<R> {
    fn new(count: usize) -> Self {
        let done = Mutex::new(std::iter::repeat_with(|| None).take(count).collect());
        Self { next: AtomicUsize::new(0), done }
    }

    /// Processes items until there are no more or `stop` returns true.
    fn fill(&self, stop: impl Fn() -> bool, mut work: impl FnMut(usize) -> R) {
        let count = self.lock().len();
        while !stop() {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            let result = work(at);
            self.lock()[at] = Some(result);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<R>>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(self) -> Vec<Option<R>> {
        self.done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threads that wait for a token do not block threads that only check for one.
    #[test]
    fn asking_never_waits_for_those_who_hold() {
        let jobs = Jobs::new(3);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let _mine = jobs.acquire().unwrap();
                        let _helper = jobs.try_acquire();
                    }
                });
            }
        });
        assert!(jobs.try_acquire().is_some());
    }

    /// Returns pools of all kinds that need no other process.
    fn pools(count: usize) -> [Jobs; 2] {
        [Jobs::new(count), Jobs { pool: Pool::counter(count), count }]
    }

    #[test]
    fn a_system_without_pipes_still_has_tokens() {
        for jobs in pools(2) {
            let (one, two) = (jobs.acquire().unwrap(), jobs.try_acquire());
            assert!(two.is_some() && jobs.try_acquire().is_none());
            drop((one, two));
            assert!(jobs.try_acquire().is_some());
        }
    }

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        for jobs in pools(3) {
            let busy = AtomicUsize::new(0);
            let most = AtomicUsize::new(0);
            let work = |number: usize| {
                most.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                busy.fetch_sub(1, Ordering::SeqCst);
                number * 2
            };
            let expected: Vec<_> = items.iter().map(|number| Some(number * 2)).collect();
            let cancel = Cancel::default();
            assert_eq!(jobs.map(&cancel, &items, |number| work(*number)), expected);
            let _held = jobs.acquire().unwrap();
            assert_eq!(jobs.map_held(&cancel, 100, || (), |(), number| work(number)), expected);
            assert!(most.into_inner() <= 3);
        }
    }

    #[test]
    fn the_first_failure_counts_and_stops_the_rest() {
        let jobs = Jobs::new(4);
        let cancel = Cancel::default();
        let items: Vec<usize> = (0..1000).collect();
        let begun = AtomicUsize::new(0);
        let work = |number: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *number < 10 { Ok(*number) } else { Err(*number) }
        };
        assert_eq!(jobs.try_map(&cancel, &items, work), Err(10));
        assert!(begun.load(Ordering::Relaxed) < 1000);
        assert_eq!(jobs.try_map(&cancel, &items[..3], work), Ok(Some(vec![0, 1, 2])));
        cancel.cancel();
        assert_eq!(jobs.try_map(&cancel, &items, work), Ok(None));
        assert_eq!(jobs.map(&cancel, &items[..1], |_| ()), [None]);
    }
}
