//! The link to a file: its id, until when it is good, and a signature over both with a key of this process.

use std::io;

use matchwire_domain::timestamp::Timestamp;
use ring::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

use crate::problem::{Code, Problem};

/// For how long a link is good, in milliseconds.
pub(super) const LIFE_MS: i64 = 60 * 60 * 1_000;

pub(super) struct Signer {
    key: hmac::Key,
    random: SystemRandom,
}

impl Signer {
    pub(super) fn new() -> io::Result<Self> {
        let random = SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random);
        Ok(Self { key: key.map_err(|_| io::Error::other("no random bytes"))?, random })
    }

    /// An id that nobody can guess.
    pub(super) fn draw(&self) -> Result<String, Problem> {
        let mut bytes = [0; 16];
        let failed = |_| Problem::new(Code::Internal, "no random bytes");
        self.random.fill(&mut bytes).map_err(failed)?;
        Ok(hex(&bytes))
    }

    pub(super) fn link(&self, id: &str, until: Timestamp) -> String {
        let expires = until.ms() / 1_000;
        let signature = hex(hmac::sign(&self.key, text(id, expires).as_bytes()).as_ref());
        format!("/api/v1/exports/{id}?expires={expires}&signature={signature}")
    }

    /// Whether a link is one of these and still good. The comparison takes as long whatever is wrong.
    pub(super) fn is_good(
        &self,
        id: &str,
        expires: Option<u64>,
        signature: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let expires = expires.and_then(|expires| i64::try_from(expires).ok());
        let signature = signature.and_then(bytes);
        let (Some(expires), Some(signature)) = (expires, signature) else { return false };
        let is_signed = hmac::verify(&self.key, text(id, expires).as_bytes(), &signature).is_ok();
        is_signed && now.ms() / 1_000 < expires
    }
}

fn text(id: &str, expires: i64) -> String {
    format!("{id}/{expires}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(pair).collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_its_file_until_it_is_over() {
        let signer = Signer::new().unwrap();
        let (now, id) = (Timestamp::from_ms(1_000_000), signer.draw().unwrap());
        let link = signer.link(&id, Timestamp::from_ms(1_000_000 + LIFE_MS));
        let signature = link.rsplit('=').next().unwrap();
        let expires = Some(4_600);
        let at = |ms| signer.is_good(&id, expires, Some(signature), Timestamp::from_ms(ms));
        assert_eq!([at(1_000_000), at(4_599_999), at(4_600_000)], [true, true, false]);
        assert!(!signer.is_good("other", expires, Some(signature), now));
        assert!(!signer.is_good(&id, Some(4_601), Some(signature), now));
        let changed = format!("0{}", signature.get(1..).unwrap());
        for no in [None, Some(""), Some("zz"), Some("abc"), Some(changed.as_str())] {
            let is_same = no == Some(signature);
            assert_eq!(signer.is_good(&id, expires, no, now), is_same, "{no:?}");
        }
        assert!(!Signer::new().unwrap().is_good(&id, expires, Some(signature), now));
    }
}
