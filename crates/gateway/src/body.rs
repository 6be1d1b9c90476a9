//! Request bodies: read within a size, a time and a share of memory, and decompressed within the
//! same size.

use std::io::Read;

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::{sync::SemaphorePermit, time};

use crate::{
    app::App,
    problem::{Code, Problem},
};

/// The unit in which the memory of bodies is shared out.
pub(crate) const UNIT_BYTES: usize = 16 << 10;
/// The largest window of zstd that is taken, as a power of two; what RFC 8878 asks everyone for.
const ZSTD_WINDOW_LOG: u32 = 23;

/// A body with its share of memory, which is free again when it is dropped.
pub(crate) struct Taken<'a> {
    pub(crate) bytes: Bytes,
    _shares: Vec<SemaphorePermit<'a>>,
}

/// Reads a body as a whole.
pub(crate) async fn read<'a>(
    app: &'a App,
    headers: &HeaderMap,
    body: Body,
) -> Result<Taken<'a>, Problem> {
    let limits = &app.limits;
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(crate::query::number).is_some_and(|n| n > limits.body_bytes as u64) {
        return Err(too_large(limits.body_bytes));
    }
    let coding = Coding::of(headers)?;
    let mut shares = Vec::new();
    let sent = time::timeout(limits.body, collect(app, body, &mut shares));
    let sent = sent.await.unwrap_or_else(|_| Err(too_slow()))?;
    let bytes = match coding {
        Coding::Identity => sent,
        Coding::Gzip => {
            let reader = flate2::read::MultiGzDecoder::new(&*sent);
            inflate(app, reader, &mut shares)?
        }
        Coding::Zstd => {
            let reader = zstd::stream::read::Decoder::with_buffer(&*sent).and_then(|mut reader| {
                reader.window_log_max(ZSTD_WINDOW_LOG)?;
                Ok(reader)
            });
            inflate(app, reader.map_err(|error| damaged(&error))?, &mut shares)?
        }
    };
    Ok(Taken { bytes, _shares: shares })
}

async fn collect<'a>(
    app: &'a App,
    mut body: Body,
    shares: &mut Vec<SemaphorePermit<'a>>,
) -> Result<Bytes, Problem> {
    let limits = &app.limits;
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let frame = time::timeout(limits.body_idle, body.frame());
        let Some(frame) = frame.await.map_err(|_| too_slow())? else { break };
        let frame = frame.map_err(|error| {
            Problem::new(Code::BadBody, format!("the body ended before it was complete: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        let size = first.len() + all.len() + data.len();
        if size > limits.body_bytes {
            return Err(too_large(limits.body_bytes));
        }
        share(app, size, shares)?;
        // Most bodies come in one piece, which is not copied.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn inflate<'a>(
    app: &'a App,
    mut reader: impl Read,
    shares: &mut Vec<SemaphorePermit<'a>>,
) -> Result<Bytes, Problem> {
    let held = shares.len();
    let mut all = Vec::new();
    loop {
        let mut piece = [0; UNIT_BYTES];
        let n = reader.read(&mut piece).map_err(|error| damaged(&error))?;
        if n == 0 {
            return Ok(all.into());
        }
        if all.len() + n > app.limits.body_bytes {
            return Err(too_large(app.limits.body_bytes));
        }
        all.extend_from_slice(piece.get(..n).unwrap_or_default());
        share(app, held * UNIT_BYTES + all.len(), shares)?;
    }
}

/// Takes so many units that `size` bytes are covered.
fn share<'a>(
    app: &'a App,
    size: usize,
    shares: &mut Vec<SemaphorePermit<'a>>,
) -> Result<(), Problem> {
    while shares.len() * UNIT_BYTES < size {
        let share = app.bodies.try_acquire().map_err(|_| {
            Problem::new(Code::Busy, "too many large bodies are being read; try again later")
        })?;
        shares.push(share);
    }
    Ok(())
}

enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let coding =
            headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
        match coding.unwrap_or("identity").to_ascii_lowercase().as_str() {
            "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            other => {
                let other: String = other.chars().take(40).collect();
                let detail = format!("content-encoding {other:?} must be gzip, zstd or identity");
                Err(Problem::new(Code::MediaType, detail))
            }
        }
    }
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("the body is over {limit} bytes; send it in parts");
    Problem::new(Code::TooLarge, detail)
}

fn too_slow() -> Problem {
    Problem::new(Code::Timeout, "the body did not come in time; send it at once")
}

fn damaged(error: &std::io::Error) -> Problem {
    Problem::new(Code::BadBody, format!("the body cannot be decompressed: {error}"))
}
