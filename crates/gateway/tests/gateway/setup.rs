//! What a server under test is made of: a log over a medium of the test's choice, an exchange in
//! memory, and a source that counts lines.

use std::{
    collections::{BTreeMap, HashMap},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::body::Bytes;
use matchwire_domain::{
    dead_letter::Bounds,
    envelope::Recorded,
    live_match::{Games, Identities, PersonName},
    secret::Secret,
    subject::{Pattern, Subject},
    timestamp::Timestamp,
};
use matchwire_gateway::{
    Access, AdmissionSettings, Answer, App, Code, Damage, DeadLetters, Erased, EventName, Exchange,
    Exports, Followup, IdForm, Inlet, Limits, MeasuredPlayers, Meter, Parts, People, Post, Problem,
    Ranking, Reconciled, Source, Sources, Storage, Views,
};
use matchwire_log::{
    Log, ManualClock, Medium, Memory, Options,
    live::{Live, Patience},
    projection::{self, Projection, Runner},
    projections::TournamentMatches,
    view_store::{Error, MemoryViews, Schema, Snapshot, Transaction},
};
use matchwire_players::view::Players;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{harness::Server, vault::Vault};

/// An exchange in memory.
#[derive(Default)]
pub(crate) struct Ids(
    Mutex<HashMap<String, String>>,
    Mutex<BTreeMap<String, Erased>>,
    /// Whether a purge is due.
    AtomicBool,
);

impl Exchange for Ids {
    fn id_for(&self, account: &str) -> String {
        let mut ids = self.0.lock().unwrap();
        let new = format!("p{}", ids.len() + 1);
        ids.entry(account.to_owned()).or_insert(new).clone()
    }

    fn note_named(&self, _player: &str) {}

    fn knows(&self, player: &str) -> bool {
        self.0.lock().unwrap().values().any(|own| own == player)
            || self.1.lock().unwrap().contains_key(player)
    }

    fn form_of(&self, id: &str) -> IdForm {
        if id.starts_with("MW-") { IdForm::Public } else { IdForm::Other }
    }

    fn sync(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn player_of(&self, account: &str) -> Option<String> {
        self.0.lock().unwrap().get(account).cloned()
    }

    fn seal(&self, _event: EventName<'_>, _player: &str, name: &PersonName) -> PersonName {
        name.clone()
    }

    fn public_id(&self, player: &str) -> Option<String> {
        Some(format!("MW-26-{:0>6}", player.trim_start_matches('p')))
    }

    fn erase(&self, player: &str) -> std::io::Result<Erased> {
        self.2.store(true, Ordering::SeqCst);
        let mut erased = self.1.lock().unwrap();
        let time = Timestamp::from_ms(0);
        let new = Erased { receipt: format!("{:016x}", erased.len()), time };
        self.0.lock().unwrap().retain(|_, own| own != player);
        Ok(erased.entry(player.to_owned()).or_insert(new).clone())
    }

    fn is_purge_due(&self) -> bool {
        self.2.load(Ordering::SeqCst)
    }

    fn purged(&self) -> std::io::Result<()> {
        self.2.store(false, Ordering::SeqCst);
        Ok(())
    }

    fn erasures(&self) -> Vec<(String, Erased)> {
        let erased = self.1.lock().unwrap();
        erased.iter().map(|(player, erased)| (player.clone(), erased.clone())).collect()
    }

    fn player_of_public(&self, public: &str) -> Option<String> {
        Some(format!("p{}", public.strip_prefix("MW-26-")?.trim_start_matches('0')))
    }
}

impl Identities for Ids {
    fn account_of(&self, id: &str) -> Option<String> {
        let ids = self.0.lock().unwrap();
        ids.iter().find(|(_, own)| *own == id).map(|(account, _)| account.clone())
    }

    /// What is sealed is base64.
    fn name_of(&self, _player: &str, sealed: &PersonName) -> Option<String> {
        let plain = URL_SAFE_NO_PAD.decode(sealed.as_sealed()?).ok()?;
        String::from_utf8(plain).ok()
    }
}

/// A source that counts the lines of a post.
struct Lines;

impl Source for Lines {
    fn headers(&self) -> &'static [&'static str] {
        &["x-seal"]
    }

    fn admits(&self, headers: &HeaderMap, _body: &Bytes) -> Result<(), Problem> {
        let is_barred = headers.contains_key("x-barred");
        if is_barred { Err(Problem::new(Code::Unauthorized, "barred")) } else { Ok(()) }
    }

    fn without_secret(&self, body: &Bytes) -> Bytes {
        String::from_utf8_lossy(body).replace("s3cret", "").into_bytes().into()
    }

    fn post<'a>(
        &'a self,
        post: Post<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send + 'a>> {
        Box::pin(async move {
            if post.headers.contains_key("x-refuse") {
                return Err(Problem::new(Code::Conflict, "refused"));
            }
            let unknown = post.body.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
            let duplicate = u64::from(post.map == "auto");
            let admitted = Instant::now();
            let refused = u64::from(post.headers.contains_key("x-seal") && post.match_id != "open");
            let is_foreign = post.body.starts_with(b"<html>");
            let unknown = unknown as u64;
            Ok(Answer { appended: 0, duplicate, unknown, refused, is_foreign, admitted })
        })
    }
}

/// What may differ from one server to the next.
pub(crate) struct Setup {
    pub(crate) games: Games,
    pub(crate) patience: Patience,
    pub(crate) ranking: Ranking,
    pub(crate) limits: Limits,
    pub(crate) admission: AdmissionSettings,
    pub(crate) access: Access,
    pub(crate) medium: Box<dyn Medium>,
    pub(crate) options: Options,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) damage: Vec<Damage>,
    pub(crate) memory_acks: bool,
    pub(crate) letters: Bounds,
    pub(crate) vault: Vault,
    pub(crate) people: Option<People>,
    /// Whether the view of players does not get on.
    pub(crate) is_stuck: Arc<AtomicBool>,
    pub(crate) view_store: MemoryViews,
    pub(crate) ids: Arc<Ids>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            games: Games::default(),
            // A machine that is busy with other tests has no model that is slow.
            patience: Patience { limit: Duration::from_mins(1), ..Patience::default() },
            ranking: Ranking::default(),
            limits: Limits::default(),
            // A machine that is busy with other tests is none that has too many events.
            admission: AdmissionSettings { target: Duration::from_mins(1), sources: Vec::new() },
            access: Access::loopback("127.0.0.1:0".parse().unwrap()),
            medium: Box::new(Memory::new()),
            options: Options::default(),
            clock: Arc::new(ManualClock::new(1_700_000_000_000)),
            damage: Vec::new(),
            memory_acks: false,
            letters: Bounds { letters: 1_000, bytes: 16 << 20 },
            vault: Vault::default(),
            people: None,
            is_stuck: Arc::default(),
            view_store: MemoryViews::new(),
            ids: Arc::default(),
        }
    }
}

/// How a comparison of players with the log came out.
fn reconciled() -> Reconciled {
    Reconciled {
        succeeded: Some(Timestamp::from_ms(1_700_000_000_500)),
        took: Duration::from_millis(2_500),
        players: 200,
        drifted_players: 3,
        sources: 50,
        drifted_sources: 2,
        stray_rows: 4,
        is_daily: true,
        failures: 1,
        is_failed: true,
        ..Reconciled::default()
    }
}

/// The view of players, which does not get on for as long as it is told so.
struct Stuck(MeasuredPlayers, Arc<AtomicBool>);

impl Projection for Stuck {
    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn scope(&self) -> Vec<Pattern> {
        self.0.scope()
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error> {
        if self.1.load(Ordering::SeqCst) {
            return Err(Error::Full { place: "the disk".into() });
        }
        self.0.apply(rows, subject, events)
    }

    fn finish(&self, rows: &mut dyn Transaction) -> Result<(), Error> {
        self.0.finish(rows)
    }

    fn settle(&self, rows: &mut dyn Transaction) -> Result<bool, Error> {
        self.0.settle(rows)
    }

    fn removals(&self, view: &dyn Snapshot) -> Result<u64, Error> {
        self.0.removals(view)
    }
}

/// The stored views over a log, in memory.
fn stored_views(
    log: &Log,
    meter: &Arc<Meter>,
    is_stuck: Arc<AtomicBool>,
    store: MemoryViews,
) -> ([Runner; 2], Views) {
    let store = Arc::new(store);
    let start = |projection: Arc<dyn Projection>| {
        Runner::start(log, store.clone(), projection, projection::Options::default()).unwrap()
    };
    let tournaments = start(Arc::new(TournamentMatches));
    let players = MeasuredPlayers::new(Players::new(log.clone()), meter);
    let players = start(Arc::new(Stuck(players, is_stuck)));
    let views = Views { tournaments: tournaments.reader(), players: players.reader() };
    ([tournaments, players], views)
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::of(Setup::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::of(Setup { limits, ..Setup::default() }).await
    }

    pub(crate) async fn accessible(limits: Limits, access: Access) -> Self {
        Self::of(Setup { limits, access, ..Setup::default() }).await
    }

    pub(crate) async fn of(setup: Setup) -> Self {
        let Setup {
            games,
            patience,
            ranking,
            limits,
            admission,
            access,
            medium,
            options,
            clock,
            damage,
            memory_acks,
            ..
        } = setup;
        let meter = Meter::new(&games);
        let options = Options { observer: Some(meter.clone()), ..options };
        let log = Log::open_with(medium, clock, options).unwrap();
        let ids = setup.ids;
        let accounts = ids.clone();
        let live = Live::patient(patience, log.clone(), games, accounts, Some(meter.clone()));
        let vault = Arc::new(setup.vault);
        let letters = DeadLetters::open(log.clone(), vault, setup.letters, meter.clone()).unwrap();
        let (runner, views) = stored_views(&log, &meter, setup.is_stuck, setup.view_store);
        let exports = tempfile::tempdir().unwrap();
        let app = App::new(Parts {
            log: log.clone(),
            live,
            exchange: ids.clone(),
            sources: Sources::from([
                ("cs-log", Arc::new(Lines) as Arc<dyn Source>),
                ("guarded", Arc::new(Lines)),
            ]),
            ingest_tokens: BTreeMap::from([("guarded".into(), Secret::new("s3cret"))]),
            letters: letters.clone(),
            exports: Exports::open(exports.path().join("exports")).unwrap(),
            followup: Followup::new(ranking),
            meter,
            access,
            people: setup.people,
            limits,
            admission,
            storage: Arc::new(move || Storage { damage: damage.clone(), ..Storage::default() }),
            upstreams: Arc::new(Vec::new),
            views,
            reconciled: Arc::new(reconciled),
            memory_acks,
        });
        let inlet = Inlet::new(&app);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(matchwire_gateway::serve(listener, app, async move {
            let _ = stopped.await;
        }));
        Self {
            address,
            log,
            ids,
            letters,
            inlet,
            stop: Some(stop),
            task,
            _views: runner,
            _exports: exports,
        }
    }
}
