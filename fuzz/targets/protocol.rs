#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| osteon_fuzz::protocol(text));
