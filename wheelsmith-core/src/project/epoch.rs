//! Build time that the user sets.

use crate::sys::Host;

/// Returns `SOURCE_DATE_EPOCH`, in seconds.
pub(super) fn epoch(host: &Host) -> Option<u64> {
    host.env.get("SOURCE_DATE_EPOCH")?.parse().ok()
}
