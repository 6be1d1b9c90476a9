//! `cargo +nightly fuzz run --features fuzzer snapshots`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::snapshots(input);
});
