#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiungo_tests::fuzz::mpesa_callback(data));
