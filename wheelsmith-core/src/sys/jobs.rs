//! How many things run at once: one pool of tokens for our own compiles, cargo and make.

use std::io;
use std::sync::{Arc, Mutex, TryLockError};

/// A pool of job tokens, shared with child processes that speak make's jobserver protocol.
#[derive(Clone)]
pub struct Jobs {
    client: jobserver::Client,
    count: usize,
    /// Held while a token that is there is taken, so that two do not take the same one.
    looking: Arc<Mutex<()>>,
}

/// The right to run one job; given back when dropped.
#[derive(Debug)]
pub struct Token {
    _token: jobserver::Acquired,
}

impl Jobs {
    /// A pool of `count` tokens (at least one).
    ///
    /// # Panics
    /// When the system gives out no pipe, which nothing else here survives either.
    pub fn new(count: usize) -> Self {
        let count = count.max(1);
        let client = jobserver::Client::new(count).expect("the system gives out a pipe");
        Self { client, count, looking: Arc::default() }
    }

    /// How many tokens there are in all: no more threads than this can be busy.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Waits for a token.
    pub fn acquire(&self) -> io::Result<Token> {
        Ok(Token { _token: self.client.acquire()? })
    }

    /// A token if one is free right now: for helpers that the work can do without.
    pub fn try_acquire(&self) -> Option<Token> {
        // A token that was free may be gone when it is taken, and then the one who looks waits until
        // another is given back. Whoever asks meanwhile may hold that other one, and so must not
        // wait for the one who looks.
        let _looking = match self.looking.try_lock() {
            Ok(looking) => looking,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let is_free = self.client.available().is_ok_and(|free| free > 0);
        if is_free { self.acquire().ok() } else { None }
    }

    /// Lets the child of `command` take tokens from this pool.
    pub(super) fn share(&self, command: &mut std::process::Command) {
        // make reads `MAKEFLAGS`, cargo a variable of its own.
        self.client.configure_make(command);
    }
}

#[cfg(test)]
mod tests {
    use super::Jobs;

    /// Those who wait for a token and those who only ask for one do not keep one another waiting.
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
}
