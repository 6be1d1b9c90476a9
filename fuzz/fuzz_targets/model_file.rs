//! `cargo +nightly fuzz run --features fuzzer model_file`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::model_file(input);
});
