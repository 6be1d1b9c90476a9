//! Pulls an upstream: asks for what is next, hands it over, and notes how far it is.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use matchwire_domain::timestamp::Timestamp;
use matchwire_gateway::{Code, Inlet, Problem, Taken};
use matchwire_log::{Clock as _, Error, Log, SystemClock};
use tokio::{
    sync::watch,
    time::{self, Instant},
};

use crate::{
    Breaker, Feed, Kind,
    health::Health,
    message::{Body, Message},
    poll::Poll,
    position::{Position, Positions},
    socket::Socket,
    sse::Sse,
    wire::{self, Trouble},
};

/// How long it waits while this server has too much to do.
const HELD: Duration = Duration::from_millis(500);
/// How often at most a stream's position is written: what is told in between comes again after a crash.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// So often is tried what fails for no reason that passes, before it becomes a dead letter.
const ATTEMPTS: u32 = 3;

/// One upstream, and how far it is.
pub(crate) struct Puller {
    pub(crate) feed: Arc<Feed>,
    pub(crate) inlet: Inlet,
    pub(crate) log: Log,
    pub(crate) health: Arc<Health>,
}

enum Line {
    Poll(Poll),
    Sse(Box<Sse>),
    Socket(Box<Socket>),
}

impl Line {
    fn new(feed: &Feed) -> Result<Self, Trouble> {
        let client = wire::client(feed)?;
        Ok(match feed.kind {
            Kind::Poll => Self::Poll(Poll::new(client)),
            Kind::Sse => Self::Sse(Box::new(Sse::new(client))),
            Kind::WebSocket => Self::Socket(Box::new(Socket::new(client))),
        })
    }

    async fn next(&mut self, feed: &Feed, position: &Position) -> Result<Message, Trouble> {
        match self {
            Self::Poll(poll) => poll.next(feed, position).await,
            Self::Sse(sse) => sse.next(feed, position).await,
            Self::Socket(socket) => socket.next(feed, position).await,
        }
    }
}

/// What is known while an upstream is pulled.
struct Pulling {
    positions: Positions,
    position: Position,
    breaker: Breaker,
    /// When the position may be written next.
    save_at: Instant,
    /// When the connection was made that lasts.
    since: Instant,
    /// How often what it sent could not be read, one after another.
    unreadable: u32,
}

impl Puller {
    /// Pulls until it is told to stop; then what was taken is noted.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let stopped = async move {
            // An error means that nobody can tell it to stop any more.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let mut stopped = pin!(stopped);
        let mut pulling = tokio::select! {
            () = &mut stopped => return,
            pulling = self.begin() => pulling,
        };
        tokio::select! {
            () = &mut stopped => {}
            () = self.pull(&mut pulling) => {}
        }
        if let Err(error) = pulling.positions.save(&pulling.position).await {
            tracing::warn!(upstream = self.feed.name, %error, "its position could not be noted");
        }
    }

    /// Finds out where it is.
    async fn begin(&self) -> Pulling {
        let breaker = Breaker::new(self.feed.retry, self.feed.cooldown);
        let positions = loop {
            match Positions::open(self.log.clone(), &self.feed.name).await {
                Ok(positions) => break positions,
                Err(error) => self.cannot_note(&error).await,
            }
        };
        let mut position = positions.saved().clone();
        if position.cursor.is_none() {
            position.cursor.clone_from(&self.feed.start);
        }
        self.health.is_at(&position);
        let now = Instant::now();
        Pulling { positions, position, breaker, save_at: now, since: now, unreadable: 0 }
    }

    async fn cannot_note(&self, error: &Error) {
        self.health.held(&format!("its position cannot be read or written: {error}"));
        time::sleep(HELD).await;
    }

    async fn pull(&self, pulling: &mut Pulling) {
        let mut line = match Line::new(&self.feed) {
            Ok(line) => line,
            Err(trouble) => {
                // Nothing but other settings changes that.
                tracing::error!(upstream = self.feed.name, %trouble, "it cannot be pulled");
                pulling.breaker.fail(true, 0.0);
                self.health.failed(&trouble, &pulling.breaker);
                return std::future::pending().await;
            }
        };
        loop {
            while let Err(problem) = self.inlet.check(&self.feed.name, self.feed.class) {
                self.health.held(&problem.detail);
                time::sleep(HELD).await;
            }
            match self.next(&mut line, pulling).await {
                Ok(message) => self.received(pulling, message).await,
                Err(trouble) => self.failed(pulling, trouble).await,
            }
        }
    }

    /// Waits for the next message, and meanwhile notes how far it is.
    async fn next(&self, line: &mut Line, pulling: &mut Pulling) -> Result<Message, Trouble> {
        let Pulling { positions, position, save_at, .. } = pulling;
        let mut next = pin!(line.next(&self.feed, position));
        loop {
            let is_due = positions.saved() != position;
            tokio::select! {
                message = &mut next => return message,
                () = time::sleep_until(*save_at), if is_due => {
                    if let Err(error) = positions.save(position).await {
                        tracing::debug!(upstream = self.feed.name, %error, "its position is not noted yet");
                    }
                    *save_at = Instant::now() + SAVE_EVERY;
                }
            }
        }
    }

    async fn received(&self, pulling: &mut Pulling, message: Message) {
        let Message { body, position } = message;
        // A connection alone is no success: it may break before it has told anything, and again.
        if body == Body::Connected {
            pulling.since = Instant::now();
        } else {
            pulling.breaker.succeed();
            pulling.unreadable = 0;
            self.health.recovered();
        }
        if self.health.answered(now()) {
            tracing::info!(upstream = self.feed.name, url = self.feed.shown_url(), "it answers");
        }
        match body {
            Body::Connected | Body::Nothing => {}
            Body::Events(events) if events.is_empty() => {}
            Body::Events(events) => self.hand_over_events(&events).await,
            Body::Posts(posts) => {
                for post in posts {
                    self.hand_over_post(&post).await;
                }
            }
            Body::Broken { what, body } => self.give_up(&unreadable(&what), 1, &body),
        }
        pulling.position = position;
        self.health.is_at(&pulling.position);
        self.health.answered(now());
    }

    async fn hand_over_events(&self, events: &[Bytes]) {
        let take = || self.inlet.events(&self.feed.name, events);
        if let Err(problem) = self.try_to(take).await {
            for event in events {
                self.give_up(&problem, ATTEMPTS, event);
            }
        }
    }

    async fn hand_over_post(&self, post: &Bytes) {
        let Some(place) = &self.feed.place else { return };
        let take = || {
            let place = (place.match_id.as_str(), place.map.as_str());
            self.inlet.post(&self.feed.name, &self.feed.format, place, post.clone())
        };
        if let Err(problem) = self.try_to(take).await {
            let place = (place.match_id.as_str(), place.map.as_str());
            self.health.took(Taken { rejected: 1, ..Taken::default() });
            self.inlet.keep_post(&self.feed.format, place, &problem, ATTEMPTS, post);
        }
    }

    /// Tries until it is taken: for as long as this server is busy, and a few times if it fails.
    async fn try_to<T: Future<Output = Result<Taken, Problem>>>(
        &self,
        take: impl Fn() -> T,
    ) -> Result<(), Problem> {
        let mut breaker = Breaker::new(self.feed.retry, self.feed.cooldown);
        loop {
            let problem = match take().await {
                Ok(taken) => {
                    self.health.took(taken);
                    return Ok(());
                }
                Err(problem) => problem,
            };
            self.health.held(&problem.detail);
            if problem.is_passing() {
                time::sleep(HELD).await;
                continue;
            }
            let wait = breaker.fail(false, rand::random());
            if breaker.failures() >= ATTEMPTS {
                return Err(problem);
            }
            time::sleep(wait).await;
        }
    }

    /// Keeps what could not be taken as a dead letter.
    fn give_up(&self, problem: &Problem, attempts: u32, body: &[u8]) {
        self.health.took(Taken { rejected: 1, ..Taken::default() });
        self.inlet.keep(&self.feed.name, problem, attempts, body);
    }

    async fn failed(&self, pulling: &mut Pulling, trouble: Trouble) {
        let breaker = &mut pulling.breaker;
        if self.feed.kind != Kind::Poll && pulling.since.elapsed() >= self.feed.cooldown {
            // It lasted: that it ends now is the first failure.
            breaker.succeed();
        }
        let was_open = breaker.is_open();
        let wait = breaker.fail(trouble.is_hopeless(), rand::random()).max(trouble.after());
        self.health.failed(&trouble, breaker);
        let name = &self.feed.name;
        match (breaker.is_open(), was_open) {
            (true, false) => {
                tracing::error!(upstream = name, %trouble, "it is left alone for a while");
            }
            (false, _) if breaker.failures() == 1 => {
                tracing::warn!(upstream = name, %trouble, "it is tried again");
            }
            _ => tracing::debug!(upstream = name, %trouble, "it still fails"),
        }
        if let Trouble::Content { what, body } = &trouble {
            pulling.unreadable += 1;
            if pulling.unreadable == ATTEMPTS {
                self.give_up(&unreadable(what), ATTEMPTS, body);
            }
        }
        time::sleep(wait).await;
        pulling.since = Instant::now();
    }
}

fn unreadable(what: &str) -> Problem {
    Problem::new(Code::BadBody, what.to_owned())
}

fn now() -> Timestamp {
    SystemClock.now()
}
