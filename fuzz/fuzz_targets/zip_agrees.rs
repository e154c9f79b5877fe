#![no_main]

libfuzzer_sys::fuzz_target!(init: wheelsmith_fuzz::lay_seeds("zip_agrees"), |bytes: &[u8]| {
    wheelsmith_fuzz::targets::zip_agrees(bytes);
});
