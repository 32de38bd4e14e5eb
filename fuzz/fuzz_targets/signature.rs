//! A signature header is accepted if and only if it is the one that signing gives. The input is the
//! header, a line break, and the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uploadcare_hooks::SigningSecret;

fuzz_target!(|input: &[u8]| {
    let secret = SigningSecret::new("12345X").expect("a good secret");
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let (header, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let right = secret.sign(body);
    assert_eq!(secret.verify(body, &right), Ok(()));
    if let Ok(header) = std::str::from_utf8(header) {
        assert_eq!(secret.verify(body, header).is_ok(), header == right);
    }
});
