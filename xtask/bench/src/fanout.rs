//! One event to many: how many frames a second reach the clients of a topic, next to a loop that only
//! writes, to socket.io and to Nchan, all in one run.
//!
//! Every contestant is a process of its own, and the clients are another one: a loop over epoll that counts
//! frames, the same for all. They share the machine's cores.

mod bare;
pub(crate) mod clients;
mod contestant;
pub(crate) mod matchwire;
mod nchan;
mod socket_io;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::ensure;

pub(crate) use self::bare::serve as serve_bare;
use self::{
    clients::{Clients, Wanted},
    contestant::{Contestant, Name},
};
use crate::{
    server::Load,
    statistics::{grouped, percentile},
};

/// How many frames come back to back where several go into one write.
const BURST: usize = 10;
/// How long those who have just come may be told what was there before.
const SETTLING: Duration = Duration::from_secs(1);
/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who follows what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) topics: usize,
    /// Clients of each topic.
    pub(crate) clients: usize,
}

const LAYOUTS: [Layout; 2] =
    [Layout { topics: 1, clients: 10_000 }, Layout { topics: 1_000, clients: 10 }];

impl Layout {
    pub(crate) fn all(self) -> usize {
        self.topics * self.clients
    }
}

/// What one contestant reached.
struct Reached {
    /// Frames a second, each written by itself.
    single: f64,
    /// Frames a second, [`BURST`] at a time.
    burst: f64,
    /// At half of `single`: latencies in microseconds, in order.
    latencies_us: Vec<u32>,
}

/// Measures, and prints a table.
pub(crate) async fn run(load: &Load, npm: Option<PathBuf>) -> anyhow::Result<()> {
    for layout in LAYOUTS {
        println!("fan-out   {} topics with {} clients each", layout.topics, layout.clients);
        let mut bare: Option<f64> = None;
        for name in Name::ALL {
            let Some(contestant) = Contestant::start(name, load, layout, npm.as_deref()).await?
            else {
                println!("          {:<12} is not installed", name.as_str());
                continue;
            };
            let Reached { single, burst, latencies_us } =
                measure(contestant, layout, load.seconds).await?;
            let of_bare = *bare.get_or_insert(single);
            let ms = |percent| f64::from(percentile(&latencies_us, percent)) / 1_000.0;
            println!(
                "          {:<12} {:>9}/s each by itself ({:.2} of the loop), {:>9}/s back to back \
                 ({:.2}); at half the rate p50 {:.1} ms, p99 {:.1} ms",
                name.as_str(),
                grouped(single),
                single / of_bare,
                grouped(burst),
                burst / of_bare,
                ms(50),
                ms(99),
            );
        }
    }
    Ok(())
}

async fn measure(
    mut contestant: Contestant,
    layout: Layout,
    seconds: u64,
) -> anyhow::Result<Reached> {
    let wanted = Wanted::new(layout, contestant.protocol());
    let clients = Clients::connect(contestant.address(), wanted).await?;
    let length = Duration::from_secs(seconds);
    tokio::time::sleep(SETTLING).await;
    // The first rounds warm up.
    rounds(&mut contestant, &clients, layout, 1, length / 4).await?;
    let single = rounds(&mut contestant, &clients, layout, 1, length).await?;
    let burst = rounds(&mut contestant, &clients, layout, BURST, length).await?;
    let latencies_us = at_rate(&mut contestant, &clients, layout, single / 2.0, length).await?;
    Ok(Reached { single, burst, latencies_us })
}

/// Publishes to every topic, waits until everybody has it, and again; gives frames a second.
async fn rounds(
    contestant: &mut Contestant,
    clients: &Clients,
    layout: Layout,
    burst: usize,
    length: Duration,
) -> anyhow::Result<f64> {
    let (started, before) = (Instant::now(), clients.delivered());
    let mut expected = before;
    while started.elapsed() < length {
        contestant.publish(burst).await?;
        expected += (layout.all() * burst) as u64;
        wait_for(clients, expected).await?;
    }
    let delivered = f64::from(u32::try_from(clients.delivered() - before)?);
    Ok(delivered / started.elapsed().as_secs_f64())
}

/// Publishes at a steady rate of frames a second, and gives the latencies in order.
async fn at_rate(
    contestant: &mut Contestant,
    clients: &Clients,
    layout: Layout,
    rate: f64,
    length: Duration,
) -> anyhow::Result<Vec<u32>> {
    let every = f64::from(u32::try_from(layout.all())?) / rate;
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(every));
    let (started, mut expected) = (Instant::now(), clients.delivered());
    clients.take_latencies();
    while started.elapsed() < length {
        ticks.tick().await;
        contestant.publish(1).await?;
        expected += layout.all() as u64;
    }
    wait_for(clients, expected).await?;
    let mut latencies_us = clients.take_latencies();
    latencies_us.sort_unstable();
    Ok(latencies_us)
}

async fn wait_for(clients: &Clients, expected: u64) -> anyhow::Result<()> {
    let started = Instant::now();
    while clients.delivered() < expected {
        let late = expected - clients.delivered();
        ensure!(started.elapsed() < PATIENCE, "{late} frames did not arrive");
        ensure!(clients.lost() == 0, "{} clients were cut off", clients.lost());
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    ensure!(clients.delivered() == expected, "more frames arrived than were sent");
    Ok(())
}
