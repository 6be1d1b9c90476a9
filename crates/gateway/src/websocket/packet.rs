//! Frames as the bytes that go over the socket, written once for everybody who gets them.
//!
//! A server's frames are not masked (RFC 6455), and nothing is kept between compressed messages
//! (RFC 7692, `server_no_context_takeover`), so the same bytes are right for every client.

use bytes::{BufMut, Bytes, BytesMut};
use flate2::{Compress, Compression, FlushCompress};
use parking_lot::Mutex;
use yawc::{Frame, OpCode};

use crate::delivery::Out;

/// Frames of at least so many bytes are compressed where the client offers it.
const COMPRESS_BYTES: usize = 1_025;
/// How many compressors are kept; each takes a quarter of a megabyte.
const KEPT: usize = 16;
/// What a sync flush ends with, and a message leaves out (RFC 7692, 7.2.1).
const SYNC_TAIL: &[u8] = &[0, 0, 0xff, 0xff];
/// The longest head of a frame that is not masked.
const HEAD_BYTES: usize = 10;

/// Compresses messages, each for itself.
#[derive(Default)]
pub(crate) struct Deflater(Mutex<Vec<Compress>>);

/// The frames of a batch, one behind the other. Large ones are compressed if there is a deflater.
pub(crate) fn encode(batch: &[Out], deflater: Option<&Deflater>) -> Bytes {
    let size = batch.iter().map(|out| out.text.len() + HEAD_BYTES).sum();
    let mut bytes = BytesMut::with_capacity(size);
    for out in batch {
        put_text(&mut bytes, &out.text, deflater);
    }
    bytes.freeze()
}

/// Whether a text is compressed where the client takes that.
pub(crate) fn is_large(text: &[u8]) -> bool {
    text.len() >= COMPRESS_BYTES
}

/// One frame of text.
pub(crate) fn text(text: &[u8], deflater: Option<&Deflater>) -> Bytes {
    let mut bytes = BytesMut::with_capacity(text.len() + HEAD_BYTES);
    put_text(&mut bytes, text, deflater);
    bytes.freeze()
}

/// A frame that controls the connection.
pub(crate) fn control(frame: &Frame) -> Bytes {
    let mut bytes = BytesMut::with_capacity(frame.payload().len() + HEAD_BYTES);
    put_frame(&mut bytes, frame.opcode(), false, frame.payload());
    bytes.freeze()
}

fn put_text(bytes: &mut BytesMut, text: &[u8], deflater: Option<&Deflater>) {
    let deflater = deflater.filter(|_| is_large(text));
    let packed = deflater.and_then(|deflater| deflater.deflate(text));
    match packed.filter(|packed| packed.len() < text.len()) {
        Some(packed) => put_frame(bytes, OpCode::Text, true, &packed),
        None => put_frame(bytes, OpCode::Text, false, text),
    }
}

/// A whole message in one frame (RFC 6455, 5.2).
fn put_frame(bytes: &mut BytesMut, opcode: OpCode, is_compressed: bool, payload: &[u8]) {
    let (fin, rsv1) = (0x80, if is_compressed { 0x40 } else { 0 });
    bytes.put_u8(fin | rsv1 | u8::from(opcode));
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => bytes.put_u8(short),
        (_, Ok(medium)) => {
            bytes.put_u8(126);
            bytes.put_u16(medium);
        }
        _ => {
            bytes.put_u8(127);
            bytes.put_u64(payload.len() as u64);
        }
    }
    bytes.put_slice(payload);
}

impl Deflater {
    /// A message as RFC 7692 has it; nothing if it cannot be compressed.
    fn deflate(&self, text: &[u8]) -> Option<Vec<u8>> {
        let kept = self.0.lock().pop();
        let mut compress = kept.unwrap_or_else(|| Compress::new(Compression::fast(), false));
        compress.reset();
        // No longer than the text: what does not shrink is sent as it is.
        let mut out = Vec::with_capacity(text.len() + SYNC_TAIL.len());
        let done = compress.compress_vec(text, &mut out, FlushCompress::Sync);
        let is_whole = compress.total_in() == text.len() as u64 && out.len() < out.capacity();
        let mut pool = self.0.lock();
        if pool.len() < KEPT {
            pool.push(compress);
        }
        drop(pool);
        let body = out.strip_suffix(SYNC_TAIL).map(<[u8]>::len);
        out.truncate(body.filter(|_| done.is_ok() && is_whole)?);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;

    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        for (length, head) in
            [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)].map(|(n, head)| (n, head))
        {
            let frame = text(&vec![b'x'; length], None);
            assert_eq!(frame.len(), length + head, "{length}");
            assert_eq!(frame[0], 0x81);
        }
    }

    #[test]
    fn large_texts_are_compressed_and_small_or_random_ones_are_not() {
        let deflater = Deflater::default();
        assert_eq!(text(&[b'x'; 1_024], Some(&deflater))[0], 0x81);
        for _ in 0..2 {
            let frame = text(&[b'x'; 5_000], Some(&deflater));
            assert_eq!(frame[0], 0xc1);
            assert!(frame.len() < 126);
            let body = [&frame[2..], SYNC_TAIL].concat();
            let mut inflated = vec![0; 5_000];
            DeflateDecoder::new(&*body).read_exact(&mut inflated).unwrap();
            assert!(inflated.iter().all(|byte| *byte == b'x'));
        }
        let mut state = 1_u64;
        let random: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(5_000)
        .collect();
        assert_eq!(text(&random, Some(&deflater))[0], 0x81);
    }
}
