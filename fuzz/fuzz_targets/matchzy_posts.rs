//! `cargo +nightly fuzz run --features fuzzer matchzy_posts`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    matchwire_fuzz::matchzy_posts(input);
});
