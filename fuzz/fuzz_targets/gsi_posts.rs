//! `cargo +nightly fuzz run --features fuzzer gsi_posts`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::gsi_posts(input);
});
