#![no_main]

libfuzzer_sys::fuzz_target!(init: wheelsmith_fuzz::lay_seeds("elf"), |bytes: &[u8]| {
    wheelsmith_fuzz::targets::elf(bytes);
});
