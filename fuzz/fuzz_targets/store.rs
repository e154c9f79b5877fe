#![no_main]

libfuzzer_sys::fuzz_target!(init: wheelsmith_fuzz::lay_seeds("store"), |bytes: &[u8]| {
    wheelsmith_fuzz::targets::store(bytes);
});
