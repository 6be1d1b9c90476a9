//! The connections: how many there may be, how they are served, and how they end.

mod pace;
mod phase;
mod stall;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{self, Duration},
};

use tower::ServiceExt;

pub(crate) use self::stall::Stall;
use self::{
    pace::Pace,
    phase::{Kind, Phase},
};
use crate::{
    admission,
    app::{App, going_away},
    erase,
    followup::Followup,
    front::Peer,
    routes,
};

/// What a peer hears for whom there is no room; it has no request yet, so there is no trace id.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
connection: close\r\ncontent-length: 0\r\n\r\n";
/// How long to wait after an accept that failed, as it does when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A place among the connections; it is free again when all clones are dropped.
#[derive(Debug, Clone)]
pub(crate) struct Slot(
    #[expect(dead_code, reason = "held for its drop")] Arc<OwnedSemaphorePermit>,
);

/// Serves an app on a listener until `shutdown`, then lets everything end: what is in flight is
/// answered, WebSockets are closed with 1001, and what takes longer than the drain is cut off.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    // Before anybody is let in: a log of before may not know who is forgotten.
    erase::go_on(&app).await;
    let followup = tokio::spawn(Followup::run(app.clone()));
    let calibration = app.calibration.clone();
    let calibration = tokio::spawn(async move { calibration.run().await });
    let tournaments = app.tournaments.clone();
    let tournaments = tokio::spawn(async move { tournaments.run().await });
    let router = routes::router(&app);
    // It ends when the server is going away.
    tokio::spawn(admission::watch(app.clone()));
    let places = u32::try_from(app.limits.connections).unwrap_or(u32::MAX);
    let slots = Arc::new(Semaphore::new(places as usize));
    tokio::pin!(shutdown);
    let mut pace = Pace::of(app.limits.accepts);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            () = pace.turn() => {}
        }
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match slots.clone().try_acquire_owned() {
            Ok(permit) => {
                let slot = Slot(Arc::new(permit));
                tokio::spawn(connection(app.clone(), router.clone(), stream, peer, slot));
            }
            Err(_) => refuse(stream),
        }
    }
    drop(listener);
    followup.abort();
    calibration.abort();
    tournaments.abort();
    app.closing.send_replace(true);
    // Every connection gives its place back when it ends.
    let _ = time::timeout(app.limits.drain, slots.acquire_many(places)).await;
    Ok(())
}

async fn connection(
    app: Arc<App>,
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
    slot: Slot,
) {
    // Frames are small, and each is wanted at once.
    let _ = stream.set_nodelay(true);
    let phase = Phase::default();
    let stream = Stall::new(stream, &app.limits, phase.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        phase.enter(Kind::Busy);
        let phase = phase.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(slot.clone());
        let answering = router.clone().oneshot(request);
        async move { answering.await.map(|response| phase.until_sent(response)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The stream knows better; this holds for what was sent before its turn.
        .header_read_timeout(app.limits.idle + app.limits.head)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let mut closing = app.closing.subscribe();
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = going_away(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            let Ok(ended) = time::timeout(app.limits.drain, connection).await else { return };
            ended
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

/// Tells a peer that there is no room, if it takes that at once.
fn refuse(mut stream: TcpStream) {
    tokio::spawn(async move {
        let _ = time::timeout(ACCEPT_PAUSE, stream.write_all(NO_ROOM)).await;
    });
}
