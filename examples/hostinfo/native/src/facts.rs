//! Facts about this machine.

use std::fmt::Write as _;

/// Facts about a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Operating system that this code was compiled for, such as `linux`.
    pub os: &'static str,
    /// Architecture that this code was compiled for, such as `aarch64`.
    pub arch: &'static str,
    /// Size of a pointer, in bits.
    pub pointer_bits: u32,
    /// Size of a memory page, in bytes; 0 if it is unknown.
    pub page_size_bytes: u32,
    /// Processors that this process may use.
    pub cpus: usize,
    /// Release of the running kernel; empty if it cannot be read.
    pub kernel: String,
}

impl Facts {
    /// Reads the facts from the system.
    pub fn of_this_machine() -> Self {
        Self {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            pointer_bits: usize::BITS,
            page_size_bytes: page_size_bytes(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")
                .map(|text| text.trim().to_owned())
                .unwrap_or_default(),
        }
    }

    /// Returns one JSON object on one line.
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (i, (name, value)) in self.rows().into_iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let value = match value {
                Value::Number(number) => number.to_string(),
                Value::Text(text) => quoted(text),
            };
            // Writing to a `String` cannot fail.
            let _ = write!(json, "{comma}{}: {value}", quoted(name));
        }
        json.push('}');
        json
    }

    /// Returns one `name: value` per line.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.rows() {
            let _ = match value {
                Value::Number(number) => writeln!(text, "{name}: {number}"),
                Value::Text(value) => writeln!(text, "{name}: {value}"),
            };
        }
        text
    }

    fn rows(&self) -> [(&'static str, Value<'_>); 6] {
        [
            ("os", Value::Text(self.os)),
            ("arch", Value::Text(self.arch)),
            ("pointer_bits", Value::Number(self.pointer_bits.into())),
            ("page_size_bytes", Value::Number(self.page_size_bytes.into())),
            ("cpus", Value::Number(self.cpus as u64)),
            ("kernel", Value::Text(&self.kernel)),
        ]
    }
}

enum Value<'a> {
    Number(u64),
    Text(&'a str),
}

fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(unix)]
fn page_size_bytes() -> u32 {
    unsafe extern "C" {
        // Declared here so that the example needs no crate.
        safe fn getpagesize() -> std::ffi::c_int;
    }
    getpagesize().try_into().unwrap_or(0)
}

#[cfg(not(unix))]
fn page_size_bytes() -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\u000a""#);
    }

    #[test]
    fn this_machine_has_a_page_and_a_processor() {
        let facts = Facts::of_this_machine();
        assert!(cfg!(not(unix)) || facts.page_size_bytes.is_power_of_two());
        assert!(facts.cpus >= 1);
        assert!(facts.to_text().starts_with(&format!("os: {}\n", facts.os)));
    }
}
