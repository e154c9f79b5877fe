//! How many things run at once: one pool of tokens for our own compiles, cargo and make.

use std::io;
use std::sync::{Arc, Mutex, TryLockError};

use super::Env;
#[cfg(unix)]
use super::inherited::Inherited;

/// A pool of job tokens, shared with child processes that speak make's jobserver protocol.
#[derive(Clone)]
pub struct Jobs {
    pool: Pool,
    count: usize,
}

#[derive(Clone)]
enum Pool {
    /// One that we made.
    Own {
        client: jobserver::Client,
        /// Held while a token that is there is taken, so that two do not take the same one.
        looking: Arc<Mutex<()>>,
    },
    /// That of a cargo or make above us.
    #[cfg(unix)]
    Inherited(Inherited),
}

/// The right to run one job; given back when dropped.
#[derive(Debug)]
pub struct Token {
    _token: Held,
}

#[derive(Debug)]
#[allow(dead_code, reason = "held, and given back when dropped")]
enum Held {
    Own(jobserver::Acquired),
    #[cfg(unix)]
    Inherited(super::inherited::Token),
}

impl Jobs {
    /// A pool of `count` tokens (at least one).
    ///
    /// # Panics
    /// When the system gives out no pipe, which nothing else here survives either.
    pub fn new(count: usize) -> Self {
        let count = count.max(1);
        let client = jobserver::Client::new(count).expect("the system gives out a pipe");
        Self { pool: Pool::Own { client, looking: Arc::default() }, count }
    }

    /// The pool that the variables of a cargo or make above us name (`CARGO_MAKEFLAGS`,
    /// `MAKEFLAGS`), of which this process holds one token already; of no more than `count` tokens
    /// as far as we are concerned. Where there is none that we can use, a pool of our own.
    ///
    /// On Linux every form of it is understood, on other Unix systems `fifo:`.
    pub fn inherited(env: &Env, count: usize) -> Self {
        let count = count.max(1);
        #[cfg(unix)]
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

    /// How many tokens there are in all: no more threads than this can be busy.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the tokens are those of a process above us.
    pub fn is_inherited(&self) -> bool {
        !matches!(self.pool, Pool::Own { .. })
    }

    /// Waits for a token.
    pub fn acquire(&self) -> io::Result<Token> {
        Ok(Token {
            _token: match &self.pool {
                Pool::Own { client, .. } => Held::Own(client.acquire()?),
                #[cfg(unix)]
                Pool::Inherited(pool) => Held::Inherited(pool.acquire()?),
            },
        })
    }

    /// A token if one is free right now: for helpers that the work can do without.
    pub fn try_acquire(&self) -> Option<Token> {
        let (client, looking) = match &self.pool {
            Pool::Own { client, looking } => (client, looking),
            #[cfg(unix)]
            Pool::Inherited(pool) => {
                return Some(Token { _token: Held::Inherited(pool.try_acquire().ok()??) });
            }
        };
        // A token that was free may be gone when it is taken, and then the one who looks waits until
        // another is given back. Whoever asks meanwhile may hold that other one, and so must not
        // wait for the one who looks.
        let _looking = match looking.try_lock() {
            Ok(looking) => looking,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let is_free = client.available().is_ok_and(|free| free > 0);
        if is_free { self.acquire().ok() } else { None }
    }

    /// Lets the child of `command` take tokens from this pool.
    pub(super) fn share(&self, command: &mut std::process::Command) {
        match &self.pool {
            // make reads `MAKEFLAGS`, cargo a variable of its own.
            Pool::Own { client, .. } => client.configure_make(command),
            #[cfg(unix)]
            Pool::Inherited(pool) => pool.share(command),
        }
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
