#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiungo_tests::fuzz::gsma_answer(data));
