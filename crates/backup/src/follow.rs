//! A back-up that goes on until it is told to stop.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{Backup, Error, Round};

/// The longest wait after a failure.
const MAX_WAIT: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// What is told of a back-up that goes on.
#[derive(Debug)]
pub enum Told<'a> {
    /// A step is done.
    Done(&'a Round),
    /// A round has failed, and is tried again after a wait.
    Failed(&'a Error, Duration),
}

/// Makes a round every so often; after `stop` a last one, which must succeed.
///
/// A failure that may pass is told and tried again, after longer and longer waits of up to 30 s.
/// Every other one ends it.
pub async fn follow(
    backup: &mut Backup,
    every: Duration,
    stop: impl Future<Output = ()>,
    told: &mut (dyn FnMut(Told<'_>) + Send),
) -> Result<Round, Error> {
    let mut stop = pin!(stop);
    let mut wait = FIRST_WAIT;
    loop {
        let started = Instant::now();
        let pause = match round(backup, told).await {
            Ok(()) => {
                wait = FIRST_WAIT;
                (started + every).saturating_duration_since(Instant::now())
            }
            Err(error) if error.is_retryable() => {
                told(Told::Failed(&error, wait));
                let pause = wait;
                wait = (wait * 2).min(MAX_WAIT);
                pause
            }
            Err(error) => return Err(error),
        };
        tokio::select! {
            () = &mut stop => break,
            () = sleep(pause) => {}
        }
    }
    let last = backup.round(&mut |step| told(Told::Done(step))).await?;
    told(Told::Done(&last));
    Ok(last)
}

async fn round(backup: &mut Backup, told: &mut (dyn FnMut(Told<'_>) + Send)) -> Result<(), Error> {
    let done = backup.round(&mut |step| told(Told::Done(step))).await?;
    told(Told::Done(&done));
    backup.begin_tidying().await?;
    Ok(())
}
