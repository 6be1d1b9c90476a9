//! `cargo +nightly fuzz run --features fuzzer cs_log_feed`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::cs_log_feed(input);
});
