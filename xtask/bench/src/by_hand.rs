//! WebSocket by hand, for clients that a library would do too much for: the request that opens one, and short
//! frames.

use anyhow::Context;

/// The request for a WebSocket at a path, with more header lines, each with its line ending.
pub(crate) fn request(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

/// A client's frame of at most 125 bytes, masked with zeros.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> anyhow::Result<Vec<u8>> {
    let length = u8::try_from(payload.len()).ok().filter(|length| *length <= 125);
    let length = length.context("what a client says by hand is short")?;
    Ok([&[0x80 | opcode, 0x80 | length, 0, 0, 0, 0], payload].concat())
}
