//! `cargo +nightly fuzz run --features fuzzer statsbomb`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::statsbomb(input);
});
