//! Facts about the machine, as a value, as JSON, and through a C interface.

mod facts;

pub use facts::Facts;

use std::ffi::c_char;

/// Version of the C interface; it increases when a function changes.
pub const ABI_VERSION: u32 = 1;

/// Returns [`ABI_VERSION`], which callers compare before they call anything else.
#[unsafe(no_mangle)]
pub extern "C" fn hostinfo_abi_version() -> u32 {
    ABI_VERSION
}

/// Writes the facts as JSON, ended by a zero byte, to the `capacity` bytes at `buffer`, cut off
/// when they do not fit. Returns the length of the whole text without the zero byte, as `snprintf`
/// does, so a caller can ask with capacity 0 and then call again.
///
/// # Safety
/// `buffer` points to `capacity` writable bytes, or `capacity` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hostinfo_json(buffer: *mut c_char, capacity: usize) -> usize {
    let text = Facts::of_this_machine().to_json();
    if let Some(room) = capacity.checked_sub(1)
        && !buffer.is_null()
    {
        let count = text.len().min(room);
        // SAFETY: the caller grants `capacity` bytes, of which `count + 1` are written.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast(), count);
            buffer.add(count).write(0);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_buffer_gets_a_prefix() {
        let whole = Facts::of_this_machine().to_json();
        let mut buffer: [c_char; 4] = [7; 4];
        // SAFETY: the capacity is the buffer's length.
        let length = unsafe { hostinfo_json(buffer.as_mut_ptr(), buffer.len()) };
        assert_eq!(length, whole.len());
        assert_eq!(buffer.map(i64::from)[..2], [i64::from(b'{'), i64::from(b'"')]);
        assert_eq!(buffer[3], 0);
    }

    #[test]
    fn without_a_buffer_only_the_length_is_given() {
        // SAFETY: a capacity of 0 asks for no memory.
        let length = unsafe { hostinfo_json(std::ptr::null_mut(), 0) };
        assert_eq!(length, Facts::of_this_machine().to_json().len());
    }
}
