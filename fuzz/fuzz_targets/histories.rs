//! `cargo +nightly fuzz run --features fuzzer histories`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::histories(input);
});
