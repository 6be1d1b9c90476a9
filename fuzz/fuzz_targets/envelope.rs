//! `cargo +nightly fuzz run --features fuzzer envelope`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::envelope(input);
});
