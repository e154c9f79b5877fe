//! Timestamp of the entries of a wheel.

/// Timestamp of zip entries: local time without a zone, in steps of two seconds, from 1980-01-01
/// 00:00:00 (the default) to 2107-12-31 23:59:58.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryTime {
    pub(super) date: u16,
    pub(super) time: u16,
}

impl Default for EntryTime {
    fn default() -> Self {
        Self::from_epoch(0)
    }
}

impl EntryTime {
    /// Converts seconds since 1970 in UTC, as in `SOURCE_DATE_EPOCH`. Times outside the range of
    /// zip become the nearest one inside it.
    #[allow(clippy::cast_possible_truncation, reason = "clamped to what fits")]
    #[allow(clippy::cast_sign_loss, reason = "clamped to positive numbers")]
    pub fn from_epoch(seconds: i64) -> Self {
        const FIRST: i64 = 315_532_800;
        const LAST: i64 = 4_354_819_198;
        let seconds = seconds.clamp(FIRST, LAST) as u64;
        let (mut days, second) = (seconds / 86_400, seconds % 86_400);
        let mut year = 1970;
        // Of the years until 2107, only 2100 is divisible by four and no leap year.
        let leap = |year: u64| year.is_multiple_of(4) && year != 2100;
        while days >= 365 + u64::from(leap(year)) {
            days -= 365 + u64::from(leap(year));
            year += 1;
        }
        let february = 28 + u64::from(leap(year));
        let mut month = 1;
        for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        let date = (year - 1980) << 9 | month << 5 | (days + 1);
        let time = (second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2);
        Self { date: date as u16, time: time as u16 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_fields_and_stay_in_range() {
        let check = |seconds: i64, text: &str| {
            let EntryTime { date, time } = EntryTime::from_epoch(seconds);
            let (year, month, day) = (1980 + (date >> 9), date >> 5 & 15, date & 31);
            let (hour, minute, second) = (time >> 11, time >> 5 & 63, (time & 31) * 2);
            let found = format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
            assert_eq!(found, text);
        };
        check(i64::MIN, "1980-01-01 00:00:00");
        check(0, "1980-01-01 00:00:00");
        check(315_532_799, "1980-01-01 00:00:00");
        check(951_782_400, "2000-02-29 00:00:00");
        check(1_000_000_000, "2001-09-09 01:46:40");
        check(1_735_689_599, "2024-12-31 23:59:58");
        check(4_107_542_400, "2100-03-01 00:00:00");
        check(4_107_542_399, "2100-02-28 23:59:58");
        check(i64::MAX, "2107-12-31 23:59:58");
    }
}
