//! `matchwire serve`: opens what is in the data directory, wires the parts together, and ends in
//! order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use matchwire_domain::{dead_letter::Bounds, live_match::Games, timestamp::Timestamp};
use matchwire_embedded::{Lifecycle, Retention, Segments, disk::Directory};
use matchwire_gateway::{
    Access, AdmissionSettings, App, Audience, DeadLetters, Exports, Followup, Inlet, Limits, Meter,
    Parts, Ranking, StorageWatch, Views,
};
use matchwire_log::{
    Clock as _, Log, Medium as _, SystemClock,
    live::{self, Live, Patience},
    projection::Runner,
};
use matchwire_upstream::Upstreams;
use rustix::process::{Resource, Rlimit};
use tokio::{
    net::{TcpListener, TcpSocket},
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
};

use crate::{
    alerts::Alerts,
    cli::Serve,
    clock, models,
    reconcile::{Nightly, Work},
    source, storage,
    vault::{Letters, OpenVault},
    views,
};

/// How long the end may take to put dead letters on disk that are still queued.
const FLUSH: Duration = Duration::from_millis(500);
/// Open files that are not connections: the log's, and those of upstreams.
const OWN_FILES: u64 = 256;
/// How many connections may wait in the system's queue, which may have a lower limit of its own.
const BACKLOG: u32 = 4_096;

/// A server that runs.
pub(crate) struct Running {
    address: SocketAddr,
    log: Log,
    letters: DeadLetters,
    clock: JoinHandle<()>,
    upstreams: Upstreams,
    /// What drives the stored views.
    views: Vec<Runner>,
    /// What compares them with the log.
    nightly: Nightly,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

/// Runs the command, until it is told to stop.
pub(crate) async fn run(args: &Serve) -> anyhow::Result<()> {
    // Whoever reads that it listens may stop it at once.
    let told = told_to_stop();
    let running = Running::start(args).await?;
    let address = running.address();
    println!("Matchwire listens on http://{address}");
    println!("The console is at http://{address}/console");
    for rule in &args.retain {
        println!("Events are kept so long: {rule}");
    }
    for feed in &args.upstreams {
        println!(
            "Events are fetched from {} ({}, {})",
            feed.name,
            feed.kind.as_str(),
            feed.shown_url()
        );
    }
    for audience in &args.audiences {
        println!("The audience {} {}", audience.name, sight(audience));
    }
    if let Some(kind) = args.people.kind() {
        println!("People are known by tokens that are signed with {kind}");
    }
    for place in args.alerts.open()?.places() {
        println!("Alerts go to {place}");
    }
    if let Some(archive) = args.archive.name() {
        println!("The archive is {archive}");
    }
    if args.listen.ip().is_loopback() {
        println!("Everybody on this machine may send and read; nobody else can.");
    } else {
        println!(
            "Without a key: sending from {}, reading from {}, and both from this machine.",
            networks(&args.insecure_ingest),
            networks(&args.insecure_read)
        );
    }
    tokio::select! {
        () = told => running.stop().await,
        stopped = running.stopped() => stopped,
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How many connections there may be: as many as are asked for, if the system lets the process have as many
/// open files. The limit that it may raise by itself is raised.
fn room_for(connections: u32) -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let files = match rustix::process::setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(OWN_FILES));
    if room < u64::from(connections) {
        tracing::warn!(
            connections,
            room,
            "the system lets this process have fewer open files; see ulimit -n"
        );
    }
    usize::try_from(room.min(connections.into())).unwrap_or(usize::MAX).max(1)
}

/// Waits for SIGTERM or Ctrl-C, which count from this call on.
pub(crate) fn told_to_stop() -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

impl Running {
    /// Opens the log and listens.
    pub(crate) async fn start(args: &Serve) -> anyhow::Result<Self> {
        let access = access(args)?;
        let people = args.people.open()?;
        let alerts = args.alerts.open()?;
        let games = Games::default();
        let meter = Meter::new(&games);
        let (log, storage, newest) = open_log(args, meter.clone())?;
        let games = models::choose(&log, games, &args.model, newest).await?;
        let games = models::shadow(games, &args.shadow)?;
        live::warm_up(&games);
        let vault = OpenVault::open(&args.data)?;
        let letters = dead_letters(args, &vault, &log, &meter)?;
        let live = Live::patient(
            Patience { limit: args.predict_limit, ..Patience::default() },
            log.clone(),
            games,
            Arc::new(vault.clone()),
            Some(meter.clone()),
        );
        let listener =
            listen(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
        let address = listener.local_addr()?;
        let followup = Followup::new(ranking(args)?);
        let sources = source::table(&log, &vault, &followup, args.gsi_token.as_deref());
        let mut upstreams = Upstreams::new(args.upstreams.clone());
        let (runners, views) = views::start(&args.data, &log, &meter)?;
        let nightly = nightly(args, alerts, &views, &log)?;
        let app = App::new(Parts {
            log: log.clone(),
            live,
            ingest_tokens: source::tokens(&args.ingest_token, &sources)?,
            sources,
            exchange: Arc::new(vault),
            exports: Exports::open(args.data.join("exports"))
                .with_context(|| format!("cannot use {}/exports", args.data.display()))?,
            letters: letters.clone(),
            followup,
            meter,
            access,
            people,
            limits: Limits {
                connections: room_for(args.connections),
                accepts: args.accept_rate,
                ..Limits::default()
            },
            admission: AdmissionSettings {
                target: Duration::from_millis(args.admission_target_ms),
                sources: args.source_limit.clone(),
            },
            storage,
            upstreams: upstreams.watch(),
            views,
            reconciled: nightly.watch(),
            memory_acks: args.allow_memory_acks,
        });
        upstreams.begin(&log, &Inlet::new(&app));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(matchwire_gateway::serve(listener, app, shutdown));
        let clock = tokio::spawn(clock::watch(log.clone()));
        let stop = Some(stop);
        Ok(Self { address, log, letters, clock, upstreams, views: runners, nightly, stop, task })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the log has stopped after a failure of the disk. What is stored only a new start
    /// finds out, so the process must end.
    pub(crate) async fn stopped(&self) -> anyhow::Result<()> {
        let reason = self.log.stopped().await;
        bail!("the log has stopped: {reason}; start again to recover what is on disk")
    }

    /// Ends in order: accepts nothing more, answers what is in flight, closes.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.upstreams.end().await;
        drop(self.stop.take());
        self.clock.abort();
        let _ = (&mut self.clock).await;
        let ended = self.task.await.context("the gateway failed")?;
        let (views, nightly) = (self.views, self.nightly);
        // What they have not seen they see at the next start.
        let _ = tokio::task::spawn_blocking(move || drop((nightly, views))).await;
        // Requests may have been answered before their letters were on disk.
        if tokio::time::timeout(FLUSH, self.letters.flush()).await.is_err() {
            tracing::warn!("dead letters that were still queued are lost");
        }
        ended.context("the gateway did not end in order")
    }
}

/// What compares the stored view of players with the log, once a day.
fn nightly(args: &Serve, alerts: Alerts, views: &Views, log: &Log) -> anyhow::Result<Nightly> {
    let work = Work {
        at: args.players_reconcile_at,
        drift_percent: args.alerts.drift_percent,
        alerts,
        reader: views.players.clone(),
        log: log.clone(),
    };
    Nightly::start(&args.data, work).context("cannot start what compares players with the log")
}

/// What is refused is kept in the log, sealed with a key of the vault.
fn dead_letters(
    args: &Serve,
    vault: &OpenVault,
    log: &Log,
    meter: &Arc<Meter>,
) -> anyhow::Result<DeadLetters> {
    let bounds = Bounds { letters: args.dead_letters as usize, bytes: args.dead_letters_mib << 20 };
    DeadLetters::open(log.clone(), Arc::new(Letters(vault.clone())), bounds, meter.clone())
        .context("cannot read the dead letters")
}

/// The log, what knows how it is stored, and when its newest event was recorded.
fn open_log(args: &Serve, meter: Arc<Meter>) -> anyhow::Result<(Log, StorageWatch, Timestamp)> {
    let folder = args.data.join("log");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let place = || format!("cannot open the log in {}", folder.display());
    let options =
        matchwire_embedded::Options { segment_bytes: args.segment_mib << 20, ..Default::default() };
    let disk = Directory::open(&folder).with_context(place)?;
    let lifecycle = lifecycle(args)?;
    let segments = Segments::open_with(Arc::new(disk), options, lifecycle).with_context(place)?;
    let newest = segments.tail().recorded;
    clock::check(newest, SystemClock.now(), args.accept_clock)?;
    let storage = storage::watch(segments.monitor());
    let options = matchwire_log::Options { observer: Some(meter), ..Default::default() };
    let log = Log::open_with(Box::new(segments), Arc::new(SystemClock), options);
    Ok((log.with_context(place)?, storage, newest))
}

/// Which sources compete, and when one is silent.
fn ranking(args: &Serve) -> anyhow::Result<Ranking> {
    let sources = args.source_rank.clone();
    if sources.len() > 8 || sources.iter().any(|name| name.is_empty() || name.len() > 128) {
        bail!("--source-rank takes at most 8 names of 1 to 128 bytes");
    }
    Ok(Ranking { sources, silence: args.source_silence })
}

/// What becomes of old events.
fn lifecycle(args: &Serve) -> anyhow::Result<Lifecycle> {
    // The command line looks after its own flags; the file's settings come another way.
    if args.archive_after.is_some() && args.archive.name().is_none() {
        bail!("--archive-after needs an archive: say where with --archive");
    }
    Ok(Lifecycle {
        retention: Retention::new(args.retain.clone()),
        archive: args.archive.open()?,
        archive_after: args.archive_after,
    })
}

/// Beyond loopback a server without keys must be told who may do what.
fn access(args: &Serve) -> anyhow::Result<Access> {
    let networks = |flag: &str, texts: &[String]| {
        let parse = |text: &String| {
            text.parse().or_else(|_| text.parse().map(std::net::IpAddr::into)).with_context(|| {
                format!("{flag} {text:?} must be a network like 10.0.0.0/8 or an address")
            })
        };
        texts.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()
    };
    let ingest = networks("--insecure-ingest", &args.insecure_ingest)?;
    let read = networks("--insecure-read", &args.insecure_read)?;
    if !args.listen.ip().is_loopback() && ingest.is_empty() && read.is_empty() {
        bail!(
            "{} is reachable from other machines and there are no keys: say who may send with \
             --insecure-ingest CIDR and who may read with --insecure-read CIDR, or listen on \
             127.0.0.1",
            args.listen
        );
    }
    let proxies = networks("--trusted-proxy", &args.trusted_proxy)?;
    let audiences = args.audiences.clone();
    // What retention removes is told by where it begins, whatever is seen of it.
    let longest = audiences.iter().map(|it| it.delays.longest()).max().unwrap_or_default();
    if let Some(rule) = args.retain.iter().find(|rule| rule.age.is_some_and(|age| age < longest)) {
        bail!("--retain {rule}: no age may be shorter than the longest delay of an audience");
    }
    let hosts = args.host.clone();
    Ok(Access { listen: args.listen, ingest, read, hosts, audiences, proxies })
}

/// What an audience sees, for a person.
fn sight(audience: &Audience) -> String {
    let networks: Vec<String> = audience.networks.iter().map(ToString::to_string).collect();
    let delays = audience.delays.rules().iter();
    let delays: Vec<String> =
        delays.map(|(pattern, delay)| format!("{pattern} {} s", delay.as_secs())).collect();
    let delays = if delays.is_empty() { "nothing".into() } else { delays.join(", ") };
    format!("({}) sees later: {delays}", networks.join(", "))
}

fn networks(texts: &[String]) -> String {
    if texts.is_empty() { "nowhere".into() } else { texts.join(", ") }
}
