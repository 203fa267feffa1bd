#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiungo_testkit::fuzz::mpesa_callback(data));
