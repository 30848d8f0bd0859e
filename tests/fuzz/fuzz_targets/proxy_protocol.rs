#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| moongate_proxy::fuzz::proxy_protocol(bytes));
