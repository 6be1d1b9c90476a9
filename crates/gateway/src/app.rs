//! What every handler needs, and the two seams through which the server gives the gateway what it
//! does not do itself: the exchange of accounts, and the reading of other systems' formats.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Instant};

use axum::http::HeaderMap;
use bytes::Bytes;
use matchwire_domain::secret::Secret;
use matchwire_log::{calibration::Calibration, live::Live};
use tokio::sync::{Semaphore, watch};
use yawc::DeflatePool;

use crate::{
    access::Access,
    admission::{self, Admission},
    comeback::Comeback,
    followup::Followup,
    hub::Hub,
    letters::DeadLetters,
    limits::Limits,
    metrics::Meter,
    problem::Problem,
    reads::Summaries,
    storage::StorageWatch,
    upstreams::UpstreamWatch,
    websocket::packet::Deflater,
};

/// Exchanges outside accounts for the player ids that events carry.
pub trait Exchange: Send + Sync + 'static {
    /// The player id of an account, a new one for a new account. It is durable only after
    /// [`sync`](Self::sync), and no event with it may be appended before.
    fn id_for(&self, account: &str) -> String;
    /// Makes every id that was given durable.
    fn sync(&self) -> std::io::Result<()>;
    /// The account of a player id.
    fn account_of(&self, id: &str) -> Option<String>;
}

/// Reads bodies in another system's own format, and appends what they say.
pub trait Source: Send + Sync + 'static {
    /// The headers that it reads, in lower case.
    fn headers(&self) -> &'static [&'static str];

    /// Whether a post may be read, as far as its body tells. To be asked before [`post`](Self::post).
    fn admits(&self, headers: &HeaderMap, body: &Bytes) -> Result<(), Problem>;

    /// The body without the secret that lets it in.
    fn without_secret(&self, body: &Bytes) -> Bytes;

    /// Takes one post. What the answer counts is durable.
    fn post<'a>(
        &'a self,
        post: Post<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send + 'a>>;
}

/// Sources by the names that they have in paths.
pub type Sources = BTreeMap<&'static str, Arc<dyn Source>>;

/// One post of a source.
#[derive(Debug)]
pub struct Post<'a> {
    /// The match, a valid segment of a subject.
    pub match_id: &'a str,
    /// The map: a number in range, or `auto`.
    pub map: &'a str,
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The body, decompressed, within the limits.
    pub body: Bytes,
    /// When it was here as a whole.
    pub received: Instant,
}

/// What became of a post.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// Events that are new.
    pub appended: u64,
    /// Events that were there before.
    pub duplicate: u64,
    /// Parts that say nothing we know.
    pub unknown: u64,
    /// Events of streams that are sealed, which take nothing more.
    pub refused: u64,
    /// Whether nothing of it is in the source's format.
    pub is_foreign: bool,
    /// When the post was read and given to the log.
    pub admitted: Instant,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The live folds, and the log beneath them.
    pub live: Live,
    /// The exchange of accounts.
    pub exchange: Arc<dyn Exchange>,
    /// What reads other systems' formats.
    pub sources: Sources,
    /// What a post must have in its path, by the source's name, where one is asked for.
    pub ingest_tokens: BTreeMap<String, Secret>,
    /// What was refused and is kept.
    pub letters: DeadLetters,
    /// What is told of every event that is in the log.
    pub followup: Followup,
    /// What is measured.
    pub meter: Arc<Meter>,
    /// Who may do what.
    pub access: Access,
    /// The bounds.
    pub limits: Limits,
    /// What is let through when there is too much.
    pub admission: admission::Settings,
    /// What knows how the log is stored.
    pub storage: StorageWatch,
    /// What knows how the upstreams are.
    pub upstreams: UpstreamWatch,
    /// Whether a sender may ask for an acknowledgement before its events are on disk.
    pub memory_acks: bool,
}

/// What every handler needs.
pub struct App {
    pub(crate) live: Live,
    pub(crate) calibration: Calibration,
    pub(crate) exchange: Arc<dyn Exchange>,
    pub(crate) sources: Sources,
    pub(crate) ingest_tokens: BTreeMap<String, Secret>,
    pub(crate) letters: DeadLetters,
    pub(crate) followup: Followup,
    pub(crate) meter: Arc<Meter>,
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) admission: Admission,
    pub(crate) storage: StorageWatch,
    pub(crate) upstreams: UpstreamWatch,
    pub(crate) memory_acks: bool,
    /// Bytes of bodies that are being read, in units of [`crate::body::UNIT_BYTES`].
    pub(crate) bodies: Semaphore,
    pub(crate) heavy: Semaphore,
    pub(crate) deflate: DeflatePool,
    pub(crate) deflater: Deflater,
    pub(crate) hub: Hub,
    /// Turns to be given what one missed, so that those who come back do not hold up those who are there.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) comeback: Comeback,
    pub(crate) closing: watch::Sender<bool>,
    pub(crate) summaries: Summaries,
    pub(crate) started: Instant,
}

impl App {
    /// Puts an app together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            live,
            exchange,
            sources,
            ingest_tokens,
            letters,
            meter,
            access,
            limits,
            followup,
            ..
        } = parts;
        Arc::new(Self {
            admission: Admission::new(parts.admission, live.games().clone()),
            calibration: Calibration::new(live.log(), live.games()),
            live,
            exchange,
            sources,
            ingest_tokens,
            letters,
            followup,
            meter,
            access,
            bodies: Semaphore::new(limits.bodies_bytes / crate::body::UNIT_BYTES),
            heavy: Semaphore::new(limits.heavy_reads),
            deflate: crate::websocket::deflate_pool(),
            deflater: Deflater::default(),
            hub: Hub::default(),
            turns: Arc::new(Semaphore::new(limits.catching_up)),
            comeback: Comeback::default(),
            limits,
            storage: parts.storage,
            upstreams: parts.upstreams,
            memory_acks: parts.memory_acks,
            closing: watch::Sender::new(false),
            summaries: Summaries::default(),
            started: Instant::now(),
        })
    }
}

/// Waits until the server is going away.
pub(crate) async fn going_away(closing: &mut watch::Receiver<bool>) {
    // An error means that the app is gone.
    let _ = closing.wait_for(|closing| *closing).await;
}
