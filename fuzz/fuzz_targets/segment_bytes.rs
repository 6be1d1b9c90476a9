//! `cargo +nightly fuzz run --features fuzzer segment_bytes`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::segment_bytes(input);
});
