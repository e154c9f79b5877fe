#![no_main]

libfuzzer_sys::fuzz_target!(init: wheelsmith_fuzz::lay_seeds("tree"), |bytes: &[u8]| {
    wheelsmith_fuzz::targets::tree(bytes);
});
