//! Many pieces of work, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Error;
use super::source::Buffers;
use crate::sys::Host;

/// Does `work` for each of `0..count`, and gives the results in no order. The calling thread works
/// along; helpers come while tokens of `host.jobs` are free.
pub(crate) fn each<T: Send>(
    count: usize,
    host: &Host,
    work: impl Fn(&mut Buffers, usize) -> T + Sync,
) -> Result<Vec<T>, Error> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    // One at a time; between two of them `between` looks for more hands.
    let run = |between: &mut dyn FnMut(usize)| {
        let mut buffers = Buffers::new();
        let mut own = Vec::new();
        while !host.cancel.is_cancelled() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            between(count - at - 1);
            own.push(work(&mut buffers, at));
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
    };
    std::thread::scope(|scope| {
        let mut helpers = 0;
        run(&mut |left| {
            if left > 0
                && helpers + 1 < host.jobs.count()
                && let Some(token) = host.jobs.try_acquire()
            {
                helpers += 1;
                let run = &run;
                scope.spawn(move || {
                    run(&mut |_| {});
                    drop(token);
                });
            }
        });
    });
    if host.cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}
