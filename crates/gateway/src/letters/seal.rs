//! The seam to the key of the vault, and the form of what is sealed.

use std::io;

use matchwire_domain::dead_letter::Sealed;

/// Seals with a key that is in the vault and never in the log. Without the key nobody reads what was
/// sealed; so to destroy it is to destroy all of that, in every copy of the log.
///
/// All of it may read a file, and so block for a moment.
pub trait Seal: Send + Sync + 'static {
    /// Seals bytes; they open only together with the same `name`. Where there is no key, a new one is
    /// made, and is durable before it is used.
    fn seal(&self, name: &str, plain: &[u8]) -> io::Result<Sealed>;
    /// Opens what was sealed; nothing, if its key was destroyed. What was changed is an error.
    fn open(&self, name: &str, sealed: &Sealed) -> io::Result<Option<Vec<u8>>>;
    /// A name for a content, 32 hexadecimal digits: the same for the same content, and without the key
    /// nobody can find out whether a content that they guess has it.
    fn name(&self, content: &[&[u8]]) -> io::Result<String>;
}

/// What is sealed of a letter: a line that says why, and the body.
pub(super) fn plain(detail: &str, body: &[u8]) -> Vec<u8> {
    let mut plain = detail.replace(['\r', '\n'], " ").into_bytes();
    plain.push(b'\n');
    plain.extend_from_slice(body);
    plain
}

/// Both parts again.
pub(super) fn parts(mut plain: Vec<u8>) -> (String, Vec<u8>) {
    let end = plain.iter().position(|byte| *byte == b'\n').unwrap_or(plain.len());
    let body = plain.split_off((end + 1).min(plain.len()));
    plain.truncate(end);
    (String::from_utf8_lossy(&plain).into_owned(), body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_come_back() {
        for (detail, body) in [("why", "{\n}"), ("", ""), ("é", "\n\n")] {
            let (told, found) = parts(plain(detail, body.as_bytes()));
            assert_eq!((told.as_str(), found.as_slice()), (detail, body.as_bytes()));
        }
        assert_eq!(parts(plain("two\r\nlines", b"x")).0, "two  lines");
        assert_eq!(parts(b"no body".to_vec()), ("no body".into(), Vec::new()));
    }
}
