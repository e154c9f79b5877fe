//! Sizes as people read them.

/// Returns a size with the largest fitting unit (powers of 1000).
///
/// ```
/// assert_eq!(wheelsmith_core::name::size_text(1_234_567), "1.2 MB");
/// ```
pub fn size_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        let check = |bytes, expected: &str| assert_eq!(size_text(bytes), expected);
        check(0, "0 B");
        check(999, "999 B");
        check(1000, "1.0 kB");
        check(999_999_999, "1.0 GB");
        check(u64::MAX, "18446744073.7 GB");
    }
}
