//! `cargo +nightly fuzz run --features fuzzer segment_flips`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::segment_flips(input);
});
