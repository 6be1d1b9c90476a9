//! What every handler needs, and the two seams through which the server gives the gateway what it
//! does not do itself: the exchange of accounts, and the reading of other systems' formats.

use std::{
    collections::BTreeMap,
    future::Future,
    ops::Deref,
    pin::Pin,
    sync::{Arc, Weak, atomic::AtomicBool},
    time::Instant,
};

use axum::http::HeaderMap;
use bytes::Bytes;
use matchwire_domain::{
    live_match::{Identities, PersonName},
    secret::Secret,
    subject::Subject,
    timestamp::Timestamp,
};
use matchwire_log::{
    Log, View,
    calibration::Calibration,
    live::{KEPT_FOLDS, Live},
    tournaments::Tournaments,
};
use matchwire_players::{
    rights::{Strangers, WithoutAccounts},
    view,
};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use yawc::DeflatePool;

use crate::{
    access::Access,
    admission::{self, Admission},
    audience::Audience,
    comeback::Comeback,
    export::Exports,
    followup::Followup,
    hub::Hub,
    imports::Imports,
    letters::DeadLetters,
    limits::Limits,
    metrics::Meter,
    people::People,
    problem::{Code, Problem},
    reads::{Summaries, blocking},
    reconciled::ReconcileWatch,
    storage::StorageWatch,
    upstreams::UpstreamWatch,
    views::{self, Views},
    websocket::packet::Deflater,
};

/// An event that is on its way, by what tells it from all others.
#[derive(Debug, Clone, Copy)]
pub struct EventName<'a> {
    /// The stream.
    pub subject: &'a str,
    /// Who says so.
    pub source: &'a str,
    /// Its id.
    pub id: &'a str,
}

/// Exchanges outside accounts for the player ids that events carry, and seals people's names.
pub trait Exchange: Identities + 'static {
    /// The player id of an account, a new one for a new account. It is durable only after
    /// [`sync`](Self::sync), and no event with it may be appended before.
    fn id_for(&self, account: &str) -> String;
    /// Takes down that an event names somebody by a player id without an account, so that no account gets that id. It is
    /// durable only after [`sync`](Self::sync).
    fn note_named(&self, player: &str);
    /// Whether anything is known of a player, or was until the player was forgotten.
    fn knows(&self, player: &str) -> bool;
    /// What a text is by its form, where it may name a player.
    fn form_of(&self, id: &str) -> IdForm;
    /// Seals a player's name for an event; the key is durable only after [`sync`](Self::sync). One that is sealed already is
    /// sealed for this event; the same comes to the same.
    fn seal(&self, event: EventName<'_>, player: &str, name: &PersonName) -> PersonName;
    /// Makes every id and key durable that was given. An error is also that one could not be made.
    fn sync(&self) -> std::io::Result<()>;
    /// The player id of an account, if it has one that is durable. None is made.
    fn player_of(&self, account: &str) -> Option<String>;
    /// The public id of a player, which says nothing of the account nor of the player id; none of somebody who has been erased.
    /// It may write to a disk.
    fn public_id(&self, player: &str) -> Option<String>;
    /// The same of several players, in their order; it may write to a disk once.
    fn public_ids(&self, players: &[&str]) -> Vec<Option<String>> {
        players.iter().map(|player| self.public_id(player)).collect()
    }
    /// The player who has a public id.
    fn player_of_public(&self, public: &str) -> Option<String>;
    /// Forgets a player: account, public id and keys are destroyed, and the keys of what holds anybody's text. The same again
    /// has the same receipt. It writes to a disk.
    fn erase(&self, player: &str) -> std::io::Result<Erased>;
    /// Whether files of views may have rows of somebody who was forgotten, also before a restart.
    fn is_purge_due(&self) -> bool;
    /// Takes down that they have none. It writes to a disk.
    fn purged(&self) -> std::io::Result<()>;
    /// Everybody who has been forgotten, by player id.
    fn erasures(&self) -> Vec<(String, Erased)>;
}

/// How ids of players are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// As the exchange gives player ids to accounts; that of another log may have given the same to somebody else.
    Given,
    /// As public ids are.
    Public,
    /// Any other one, which the platform has chosen.
    Other,
}

impl IdForm {
    /// Why an event must not name a player by an id of this form; nothing if it may. An event `of_history` may have been in another
    /// log before.
    pub fn objection(self, player: &str, of_history: bool) -> Option<String> {
        match self {
            Self::Public => Some(format!(
                "{player:?} is a public id; an event names people by account, as steam:76561197960265729, or by player id"
            )),
            Self::Given if of_history => Some(format!(
                "{player:?} is a player id of the log from which it was read, and may be somebody else's here; name people by account, as steam:76561197960265729"
            )),
            _ => None,
        }
    }
}

/// Why an event of a history must not have the name of a player as it is sealed in another log.
pub fn sealed_elsewhere(player: &str) -> String {
    format!("the name of {player:?} is sealed with a key of the log from which it was read")
}

/// That somebody has been forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The number of the receipt.
    pub receipt: String,
    /// When.
    pub time: Timestamp,
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

/// How many folds are kept for a delayed audience when nobody follows them.
const AUDIENCE_FOLDS: usize = 128;

/// The apps of those who do not see all that the operator sees.
#[derive(Default)]
pub(crate) struct Strange {
    /// By the place of its audience in [`Access::audiences`]; `None` for one that sees what all see.
    pub(crate) audiences: Vec<Option<Arc<App>>>,
    /// Of whoever is in no delayed audience.
    pub(crate) public: Option<Arc<App>>,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The log.
    pub log: Log,
    /// The live folds over it.
    pub live: Live,
    /// The exchange of accounts.
    pub exchange: Arc<dyn Exchange>,
    /// What reads other systems' formats.
    pub sources: Sources,
    /// What a post must have in its path, by the source's name, where one is asked for.
    pub ingest_tokens: BTreeMap<String, Secret>,
    /// What was refused and is kept.
    pub letters: DeadLetters,
    /// What people have asked to be given of themselves.
    pub exports: Exports,
    /// What is told of every event that is in the log.
    pub followup: Followup,
    /// What is measured.
    pub meter: Arc<Meter>,
    /// Who may do what.
    pub access: Access,
    /// By what people are known, if they are.
    pub people: Option<People>,
    /// The bounds.
    pub limits: Limits,
    /// What is let through when there is too much.
    pub admission: admission::Settings,
    /// What knows how the log is stored.
    pub storage: StorageWatch,
    /// What knows how the upstreams are.
    pub upstreams: UpstreamWatch,
    /// The stored views.
    pub views: Views,
    /// What knows how they compare with the log.
    pub reconciled: ReconcileWatch,
    /// Whether a sender may ask for an acknowledgement before its events are on disk.
    pub memory_acks: bool,
}

/// What every handler needs: what is common to all who ask, and what those see who ask here. Whoever is not the operator, and each
/// delayed audience, has an app of its own, so that nothing that is made of the log can be seen too early, or though it is private, by
/// way of something that is shared.
pub struct App {
    common: Arc<Common>,
    /// The live folds over what is seen here.
    pub(crate) live: Live,
    pub(crate) summaries: Summaries,
    /// Those who follow the same, and see the same.
    pub(crate) hub: Hub,
    /// Those of others; none but in the operator's app.
    pub(crate) strange: Strange,
}

/// What is common to all who ask. Nothing here tells what is in the log, but the log itself and its stored views.
pub struct Common {
    /// The whole log: to append to, and for the operator.
    pub(crate) log: Log,
    pub(crate) calibration: Calibration,
    /// Which matches are of which tournament; what of it may be seen, each reader's own log tells.
    pub(crate) tournaments: Tournaments,
    /// What is kept from all but the operator.
    pub(crate) strangers: Arc<Strangers>,
    pub(crate) exchange: Arc<dyn Exchange>,
    pub(crate) sources: Sources,
    pub(crate) ingest_tokens: BTreeMap<String, Secret>,
    pub(crate) letters: DeadLetters,
    pub(crate) exports: Exports,
    /// Held by whoever erases, or purges: one after the other. It has the last group of the log that may tell of an erasure.
    pub(crate) erasing: tokio::sync::Mutex<u64>,
    /// Whether somebody waits until rows of those who were erased can be purged.
    pub(crate) is_purging: AtomicBool,
    pub(crate) imports: Arc<Imports>,
    pub(crate) followup: Followup,
    pub(crate) meter: Arc<Meter>,
    pub(crate) access: Access,
    pub(crate) people: Option<People>,
    pub(crate) limits: Limits,
    pub(crate) admission: Admission,
    pub(crate) storage: StorageWatch,
    pub(crate) upstreams: UpstreamWatch,
    pub(crate) views: Views,
    pub(crate) reconciled: ReconcileWatch,
    pub(crate) memory_acks: bool,
    /// Every app over these parts that is in use.
    pub(crate) apps: Mutex<Vec<Weak<App>>>,
    /// Bytes of bodies that are being read, in units of [`crate::body::UNIT_BYTES`].
    pub(crate) bodies: Semaphore,
    pub(crate) heavy: Semaphore,
    pub(crate) replays: Arc<Semaphore>,
    pub(crate) deflate: DeflatePool,
    pub(crate) deflater: Deflater,
    /// Turns to be given what one missed, so that those who come back do not hold up those who are there.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) comeback: Comeback,
    pub(crate) closing: watch::Sender<bool>,
    pub(crate) started: Instant,
    /// When that was, by the clock of the log.
    pub(crate) began: Timestamp,
}

impl App {
    /// Puts an app together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { log, live, limits, .. } = parts;
        let strangers = Arc::new(Strangers::of(live.games().clone()));
        let common = Arc::new(Common {
            admission: Admission::new(parts.admission, live.games().clone()),
            calibration: Calibration::new(&log, live.games(), Some(strangers.clone())),
            strangers,
            tournaments: Tournaments::new(&log),
            exchange: parts.exchange,
            sources: parts.sources,
            ingest_tokens: parts.ingest_tokens,
            letters: parts.letters,
            exports: parts.exports,
            erasing: tokio::sync::Mutex::default(),
            is_purging: AtomicBool::default(),
            imports: Arc::new(Imports::of(&log)),
            followup: parts.followup,
            meter: parts.meter,
            access: parts.access,
            people: parts.people,
            bodies: Semaphore::new(limits.bodies_bytes / crate::body::UNIT_BYTES),
            heavy: Semaphore::new(limits.heavy_reads),
            replays: Arc::new(Semaphore::new(limits.replays)),
            deflate: crate::websocket::deflate_pool(),
            deflater: Deflater::default(),
            turns: Arc::new(Semaphore::new(limits.catching_up)),
            comeback: Comeback::default(),
            limits,
            storage: parts.storage,
            upstreams: parts.upstreams,
            views: parts.views,
            reconciled: parts.reconciled,
            memory_acks: parts.memory_acks,
            apps: Mutex::default(),
            closing: watch::Sender::new(false),
            started: Instant::now(),
            began: log.clock().now(),
            log,
        });
        let people = Arc::new(WithoutAccounts(live.people().clone()));
        let over = |view: View, kept| {
            let view = view.screened(common.strangers.clone());
            let live = live.over(view, people.clone(), kept);
            common.app(live, Strange::default())
        };
        let audience = |audience: &Audience| {
            let view = || View::delayed(common.log.clone(), audience.delays.clone());
            audience.is_delayed().then(|| over(view(), AUDIENCE_FOLDS))
        };
        let audiences = common.access.audiences.iter().map(audience).collect();
        let public = Some(over(View::from(common.log.clone()), KEPT_FOLDS));
        common.app(live, Strange { audiences, public })
    }
}

impl App {
    /// The player id of a player who is named by player id, public id or account, and of whom there is anything: in the
    /// exchange, in the player's own stream or in the stored view.
    pub(crate) async fn player_named(&self, name: String) -> Result<String, Problem> {
        let none =
            |what: &str| Problem::new(Code::NotFound, format!("{what}: there is no such player"));
        if name.contains(':') {
            return self
                .exchange
                .player_of(&name)
                .ok_or_else(|| none("no player has this account"));
        }
        let id = self.exchange.player_of_public(&name).unwrap_or(name);
        if self.exchange.knows(&id) {
            return Ok(id);
        }
        let stream = Subject::parse(&format!("player/{id}"))?;
        let (log, snapshot) = (self.log.clone(), views::current(&self.views.players).await?);
        blocking(move || {
            let is_there = log.head(&stream)? > 0 || view::has_activities(&*snapshot, &id)?;
            is_there.then_some(id).ok_or_else(|| none("nobody of this name has played"))
        })
        .await
    }

    /// The apps of all audiences and replays, and this one.
    pub(crate) fn all(&self) -> Vec<Arc<Self>> {
        self.apps.lock().iter().filter_map(Weak::upgrade).collect()
    }

    /// An app for a reader who sees what these folds are over.
    pub(crate) fn seeing(&self, live: Live) -> Arc<Self> {
        self.common.app(live, Strange::default())
    }
}

impl Common {
    /// An app for those who see what these folds are over.
    fn app(self: &Arc<Self>, live: Live, strange: Strange) -> Arc<App> {
        let (summaries, hub) = (Summaries::default(), Hub::default());
        let app = Arc::new(App { common: self.clone(), live, summaries, hub, strange });
        let mut apps = self.apps.lock();
        apps.retain(|app| app.strong_count() > 0);
        apps.push(Arc::downgrade(&app));
        drop(apps);
        app
    }
}

impl Deref for App {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

/// Waits until the server is going away.
pub(crate) async fn going_away(closing: &mut watch::Receiver<bool>) {
    // An error means that the app is gone.
    let _ = closing.wait_for(|closing| *closing).await;
}
