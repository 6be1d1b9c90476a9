//! A client that waits for kills.

use std::time::{Duration, Instant};

use yawc::OpCode;

use super::offer::CRITICAL;
use crate::delivery::{Socket, sent_at};

/// Takes frames until the connection ends, and gives for each kill that was due after the warm-up
/// how long it took from then on, in microseconds.
pub(super) async fn kills(
    mut socket: Socket,
    started: Instant,
    warm_up: Duration,
) -> anyhow::Result<Vec<u32>> {
    let mut latencies_us = Vec::new();
    let mark = format!("\"type\":\"{CRITICAL}\"");
    while let Ok(frame) = socket.next_frame().await {
        if frame.opcode() == OpCode::Close {
            break;
        }
        let Some(due) = sent_at(frame.payload()).filter(|due| *due > warm_up) else { continue };
        if std::str::from_utf8(frame.payload()).is_ok_and(|text| text.contains(&mark)) {
            let latency = started.elapsed().saturating_sub(due);
            latencies_us.push(u32::try_from(latency.as_micros())?);
        }
    }
    Ok(latencies_us)
}
