#![no_main]

libfuzzer_sys::fuzz_target!(init: wheelsmith_fuzz::lay_seeds("registry"), |bytes: &[u8]| {
    wheelsmith_fuzz::targets::registry(bytes);
});
