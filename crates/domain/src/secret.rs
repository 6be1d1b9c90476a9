//! A secret that others must show: kept as its hash alone, compared in constant time, never told.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What is kept of a secret.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Keeps a secret.
    pub fn new(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Whether what was shown is the secret. It takes the same time however much of it is right.
    pub fn is(&self, shown: &str) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        // The hashes of two texts differ everywhere, so where they do tells nothing; all the same.
        self.0.iter().zip(shown).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets() {
        let secret = Secret::new("open sesame");
        assert!(secret.is("open sesame"));
        for wrong in ["", "open", "open sesame ", "Open sesame"] {
            assert!(!secret.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
