//! Job tokens of the cargo or make that started this process, by make's jobserver protocol: a pipe
//! with a byte for each free token, besides the one implicit token of every child.
//!
//! The pipe is opened again by its path in `/proc`, so that nonblocking reads affect no other
//! process, and no inherited descriptor is closed.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Interval at which a waiting thread reads the pipe again. A returned implicit token wakes it at
/// once.
const PACE: Duration = Duration::from_millis(10);

/// Token pool of the process that started this one.
#[derive(Clone)]
pub(super) struct Inherited(Arc<Shared>);

struct Shared {
    /// Value of `MAKEFLAGS` for children.
    flags: String,
    reader: File,
    writer: File,
    /// True if the implicit token is free.
    own: Mutex<bool>,
    freed: Condvar,
}

/// Right to run one job; returned when dropped.
#[derive(Debug)]
pub(super) struct Token {
    pool: Inherited,
    /// Token byte read from the jobserver; `None` for the implicit token.
    byte: Option<u8>,
}

impl Inherited {
    /// Opens the pool that `flags` name. Returns `None` if they name none, or if it cannot be
    /// opened.
    pub(super) fn open(flags: &str) -> Option<Self> {
        let words = flags.split_whitespace();
        let auth = words
            .filter_map(|word| {
                word.strip_prefix("--jobserver-auth=")
                    .or_else(|| word.strip_prefix("--jobserver-fds="))
            })
            .next_back()?;
        let (reader, writer) = if let Some(path) = auth.strip_prefix("fifo:") {
            (PathBuf::from(path), PathBuf::from(path))
        } else if cfg!(target_os = "linux") {
            let (reader, writer) = auth.split_once(',')?;
            let place = |number: &str| {
                let number: u32 = number.parse().ok()?;
                Some(Path::new("/proc/self/fd").join(number.to_string()))
            };
            (place(reader)?, place(writer)?)
        } else {
            return None;
        };
        let reader = open(&reader, false).ok()?;
        let writer = open(&writer, true).ok()?;
        // The number of a closed descriptor may have been reused.
        let is_pipe = |file: &File| file.metadata().is_ok_and(|m| m.file_type().is_fifo());
        if !is_pipe(&reader) || !is_pipe(&writer) {
            return None;
        }
        let flags = flags.to_owned();
        let (own, freed) = (Mutex::new(true), Condvar::new());
        Some(Self(Arc::new(Shared { flags, reader, writer, own, freed })))
    }

    /// Waits for a token.
    pub(super) fn acquire(&self) -> io::Result<Token> {
        let mut own = self.own();
        loop {
            if let Some(token) = self.take(&mut own)? {
                return Ok(token);
            }
            let waited = self.0.freed.wait_timeout(own, PACE);
            own = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns a token if one is free now.
    pub(super) fn try_acquire(&self) -> io::Result<Option<Token>> {
        self.take(&mut self.own())
    }

    fn take(&self, own: &mut bool) -> io::Result<Option<Token>> {
        if *own {
            *own = false;
            return Ok(Some(Token { pool: self.clone(), byte: None }));
        }
        let mut byte = [0];
        match (&self.0.reader).read(&mut byte) {
            Ok(1) => Ok(Some(Token { pool: self.clone(), byte: Some(byte[0]) })),
            // The process that created the pipe has ended; only the implicit token remains.
            Ok(_) => Ok(None),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Passes the pipe to the child of `command`, so that it can use tokens.
    pub(super) fn share(&self, command: &mut std::process::Command) {
        for name in ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"] {
            command.env(name, &self.0.flags);
        }
    }

    fn own(&self) -> MutexGuard<'_, bool> {
        self.0.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Inherited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Inherited").field(&self.0.flags).finish()
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        match self.byte {
            // A token that cannot be returned is lost, as when a process dies.
            Some(byte) => drop((&self.pool.0.writer).write_all(&[byte])),
            None => *self.pool.own() = true,
        }
        self.pool.0.freed.notify_one();
    }
}

fn open(path: &Path, write: bool) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits();
    // Opening a pipe for writing only fails if it has no reader.
    options.read(true).write(write);
    if !write {
        options.custom_flags(i32::try_from(nonblocking).unwrap_or_default());
    }
    options.open(path)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::super::{Env, Jobs};
    use std::os::fd::AsRawFd;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Returns a pool with `free` tokens in its pipe, and the pipe.
    fn pool(free: &[u8]) -> (Jobs, [Box<dyn AsRawFd>; 2]) {
        use std::io::Write as _;
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(free).unwrap();
        let (r, w) = (reader.as_raw_fd(), writer.as_raw_fd());
        let mut env = Env::default();
        env.set("CARGO_MAKEFLAGS", format!("-j --jobserver-fds={r},{w} --jobserver-auth={r},{w}"));
        let jobs = Jobs::inherited(&env, 8);
        assert!(jobs.is_inherited());
        (jobs, [Box::new(reader), Box::new(writer)])
    }

    #[test]
    fn tokens_are_our_own_and_those_of_the_pipe() {
        let (jobs, _pipe) = pool(b"ab");
        let held: Vec<_> = std::iter::from_fn(|| jobs.try_acquire()).collect();
        assert_eq!(held.len(), 3);
        drop(held);
        let held: Vec<_> = std::iter::from_fn(|| jobs.try_acquire()).collect();
        assert_eq!(held.len(), 3, "every token was returned");
    }

    /// With an empty pipe (`cargo build -j1`), many threads share the implicit token.
    #[test]
    fn one_token_is_enough_for_many() {
        let (jobs, _pipe) = pool(b"");
        let (busy, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _token = jobs.acquire().unwrap();
                        most.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        busy.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
    }

    #[test]
    fn what_is_no_pool_is_none() {
        let check = |flags: &str| {
            let mut env = Env::default();
            env.set("CARGO_MAKEFLAGS", flags);
            assert!(!Jobs::inherited(&env, 2).is_inherited(), "{flags}");
        };
        let file = super::super::fs::open(std::path::Path::new("/proc/self/status")).unwrap();
        let number = file.as_raw_fd();
        check("");
        check("-j4");
        check("--jobserver-auth=x,y");
        check("--jobserver-auth=100000,100001");
        check("--jobserver-auth=fifo:/nonexistent");
        check(&format!("--jobserver-auth={number},{number}"));
    }
}
