//! A person's copy of what is kept of them: made beside everything else, told how far it is, and fetched by a signed link that
//! is good for an hour.
//!
//! ```text
//! POST …/export ─► job ─► exports/ID.zip ─► GET …/export: {url} ─► GET /exports/ID?expires=…&signature=…
//! ```
//!
//! The file is removed after that hour, when its person is erased, and at every start.

mod archive;
mod link;
mod names;
mod summary;

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, Response, StatusCode, Uri, header},
};
use matchwire_domain::timestamp::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{fs::File, sync::Semaphore, time};
use tokio_util::io::ReaderStream;

use self::link::Signer;
use crate::{
    app::App,
    people::Viewer,
    problem::{Code, Problem},
    query::Params,
    reads::blocking,
};

/// For how long a file is there, and its link is good.
const LIFE: Duration = Duration::from_hours(1);
/// How many are made at once; more wait for their turn.
const AT_ONCE: usize = 2;
/// How many are there at once, or wait.
const MAX_JOBS: usize = 1_000;

/// The copies that are being made or can be fetched.
pub struct Exports {
    folder: PathBuf,
    signer: Signer,
    /// By player id.
    jobs: Mutex<BTreeMap<String, Job>>,
    turns: Semaphore,
}

#[derive(Clone)]
struct Job {
    id: String,
    progress: Arc<Progress>,
    state: Stage,
}

/// How many activities have been written, of how many.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) done: AtomicU64,
    pub(crate) of: AtomicU64,
}

#[derive(Clone)]
enum Stage {
    Running,
    Ready { until: Timestamp, bytes: u64 },
    Failed,
}

impl Exports {
    /// Keeps copies in a folder, which is emptied: links of before are good no more.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&folder)?,
        }
        let (jobs, turns) = (Mutex::default(), Semaphore::new(AT_ONCE));
        Ok(Self { folder, signer: Signer::new()?, jobs, turns })
    }

    /// Removes the copy of a player, if there is one.
    pub(crate) fn forget(&self, player: &str) -> io::Result<()> {
        let mut jobs = self.jobs.lock();
        let Some(job) = jobs.get(player) else { return Ok(()) };
        match fs::remove_file(self.file(&job.id)) {
            // Whoever tries again finds it.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        jobs.remove(player);
        Ok(())
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.zip"))
    }

    /// Whether a job is still wanted: its player was not forgotten meanwhile.
    fn is_wanted(&self, player: &str, id: &str) -> bool {
        self.jobs.lock().get(player).is_some_and(|job| job.id == id)
    }

    /// Takes down what became of a job; its file goes if nobody wants it any more.
    fn end(&self, player: &str, id: &str, state: Stage) {
        let mut jobs = self.jobs.lock();
        match jobs.get_mut(player).filter(|job| job.id == id) {
            Some(job) => job.state = state,
            None => {
                let _ = fs::remove_file(self.file(id));
            }
        }
    }

    fn told(&self, player: &str) -> Option<Value> {
        let job = self.jobs.lock().get(player).cloned()?;
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let (done, of) = (count(&job.progress.done), count(&job.progress.of));
        let progress = json!({"activities": done, "of": of});
        Some(match job.state {
            Stage::Running => json!({"status": "running", "progress": progress}),
            Stage::Failed => json!({"status": "failed", "progress": progress}),
            Stage::Ready { until, bytes } => json!({
                "status": "ready",
                "progress": progress,
                "bytes": bytes,
                "expires": until.to_string(),
                "url": self.signer.link(&job.id, until),
            }),
        })
    }
}

/// The person who asks wants a copy.
pub(crate) async fn begin_own(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    uri: Uri,
) -> Result<(StatusCode, Json<Value>), Problem> {
    Params::parse(&uri, &[])?;
    begin(&app, &viewer.oneself()?)
}

/// An operator wants a copy for a player.
pub(crate) async fn begin_for(
    State(app): State<Arc<App>>,
    Path(player): Path<String>,
    uri: Uri,
) -> Result<(StatusCode, Json<Value>), Problem> {
    Params::parse(&uri, &[])?;
    let player = app.player_named(player).await?;
    begin(&app, &player)
}

/// How far the copy of the person is who asks.
pub(crate) async fn show_own(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    Params::parse(&uri, &[])?;
    Ok(show(&app, &viewer.oneself()?))
}

/// How far the copy of a player is, for the operator.
pub(crate) async fn show_for(
    State(app): State<Arc<App>>,
    Path(player): Path<String>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    Params::parse(&uri, &[])?;
    let player = app.player_named(player).await?;
    Ok(show(&app, &player))
}

/// The file, for whoever has its link.
pub(crate) async fn fetch(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(&uri, &["expires", "signature"])?;
    let now = app.log.clock().now();
    let (expires, signature) = (params.number("expires")?, params.get("signature"));
    if !app.exports.signer.is_good(&id, expires, signature, now) {
        let detail = "the link is not good, or not any more; ask for the export to get a new one";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let gone =
        |_| Problem::new(Code::NotFound, "the export is not there any more; ask for a new one");
    let file = File::open(app.exports.file(&id)).await.map_err(gone)?;
    let bytes = file.metadata().await.map_err(gone)?.len();
    let mut response = Response::new(Body::from_stream(ReaderStream::new(file)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, bytes.into());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let name = HeaderValue::from_static("attachment; filename=\"matchwire-export.zip\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn show(app: &App, player: &str) -> Json<Value> {
    Json(app.exports.told(player).unwrap_or_else(|| json!({"status": "none"})))
}

fn begin(app: &Arc<App>, player: &str) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = app.exports.signer.draw()?;
    let progress = Arc::new(Progress::default());
    {
        let mut jobs = app.exports.jobs.lock();
        // One that is being made, or can be fetched, is the one that is wanted.
        let is_there = jobs.get(player).is_some_and(|job| !matches!(job.state, Stage::Failed));
        if !is_there {
            if jobs.len() >= MAX_JOBS && !jobs.contains_key(player) {
                return Err(Problem::new(
                    Code::Busy,
                    "too many exports are there; try again later",
                ));
            }
            let new = Job { id: id.clone(), progress: progress.clone(), state: Stage::Running };
            if let Some(old) = jobs.insert(player.to_owned(), new) {
                let _ = fs::remove_file(app.exports.file(&old.id));
            }
            let app = app.clone();
            let player = player.to_owned();
            tokio::spawn(async move { run(&app, &player, &id, progress).await });
        }
    }
    let told = app.exports.told(player).unwrap_or_default();
    Ok((StatusCode::ACCEPTED, Json(told)))
}

/// Makes a copy, and removes it when its time is over.
async fn run(app: &Arc<App>, player: &str, id: &str, progress: Arc<Progress>) {
    let made = {
        let Ok(_turn) = app.exports.turns.acquire().await else { return };
        let of = app.clone();
        let (player, file) = (player.to_owned(), app.exports.file(id));
        app.views.players.catch_up().await;
        blocking(move || archive::write(&of, &player, &file, &progress)).await
    };
    let until = Timestamp::from_ms(app.log.clock().now().ms().saturating_add(link::LIFE_MS));
    match made {
        Ok(bytes) => app.exports.end(player, id, Stage::Ready { until, bytes }),
        Err(Problem { detail, .. }) => {
            tracing::error!(detail, "an export failed");
            app.exports.end(player, id, Stage::Failed);
        }
    }
    time::sleep(LIFE).await;
    if app.exports.is_wanted(player, id)
        && let Err(error) = app.exports.forget(player)
    {
        tracing::error!(%error, "an export that is over cannot be removed");
    }
}
