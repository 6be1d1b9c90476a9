//! `cargo +nightly fuzz run --features fuzzer fold`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::fold(input);
});
