//! How many things run at once: one pool of tokens for our own compiles, cargo and make.

use std::io;

/// A pool of job tokens, shared with child processes that speak make's jobserver protocol.
#[derive(Clone)]
pub struct Jobs {
    client: jobserver::Client,
    count: usize,
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
        Self { client, count }
    }

    /// How many tokens there are in all: no more threads than this can be busy.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Waits for a token.
    pub fn acquire(&self) -> io::Result<Token> {
        Ok(Token { _token: self.client.acquire()? })
    }

    /// Lets the child of `command` take tokens from this pool.
    pub(super) fn share(&self, command: &mut std::process::Command) {
        self.client.configure(command);
    }
}
