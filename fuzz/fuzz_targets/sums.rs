#![no_main]

libfuzzer_sys::fuzz_target!(init: wheelsmith_fuzz::lay_seeds("sums"), |bytes: &[u8]| {
    wheelsmith_fuzz::targets::sums(bytes);
});
