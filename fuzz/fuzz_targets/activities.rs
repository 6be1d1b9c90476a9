//! `cargo +nightly fuzz run --features fuzzer activities`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::activities(input);
});
