//! Tables of what was measured, one for each shape, with the aims that stand in it.

use super::contest::{Measured, Role, Shape};
use crate::statistics::{grouped, median};

/// What the columns are.
pub(super) const LEGEND: &str = "
x growing  events/s as a multiple of the first row's in the same round; the range is in brackets
wait       from handing in a batch to its answer, when it is durable; the mean is in brackets
written    bytes that went to the disk for each byte stored, the file system's journal and whatever
           else wrote meanwhile included
Every figure is the median of the runs.";

/// The least part of the plain loop's rate that the log aims at, by events in a batch.
const OF_BARE: [(usize, f64); 2] = [(100, 1.2), (1_000, 0.7)];
/// How many times the rate of the best synced peer it aims at.
const OF_PEERS: f64 = 4.0;
/// The most that a direct call may take of what the plain loop takes.
const DIRECT_OF_BARE: f64 = 1.3;
/// The most that the async interface may take beside that, in µs.
const ASYNC_EXTRA_US: f64 = 80.0;

/// How far the plain loop's fastest round may be from its slowest one: beyond, something else had the
/// disk or the processor, and whether an aim was met cannot be told.
const STEADY: f64 = 1.5;
/// How many cores others may use meanwhile; the kernel takes some for the disk.
const OTHERS_CORES: f64 = 0.25;

/// A contestant's runs in one shape.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) role: Role,
    runs: Vec<Measured>,
    /// Of neighbours, which saw the same disk.
    ratios: Vec<f64>,
}

impl Row {
    pub(super) fn new(name: &'static str, role: Role) -> Self {
        Self { name, role, runs: Vec::new(), ratios: Vec::new() }
    }

    /// Adds a run, next to what the plain loop reached just before.
    pub(super) fn add(&mut self, measured: Measured, bare_rate: f64) {
        self.ratios.push(measured.rate / bare_rate);
        self.runs.push(measured);
    }

    /// The longest run, with start and end, in seconds.
    pub(super) fn longest_s(&self) -> f64 {
        self.runs.iter().map(|run| run.whole_s).fold(0.0, f64::max)
    }

    fn of(&self, figure: impl Fn(&Measured) -> f64) -> f64 {
        median(self.runs.iter().map(figure).collect())
    }

    fn rate(&self) -> f64 {
        self.of(|run| run.rate)
    }

    fn wait_us(&self) -> f64 {
        self.of(|run| run.median_us)
    }

    fn line(&self) -> String {
        let mean = format!("({})", grouped(self.of(|run| run.mean_us)));
        let written: Option<Vec<f64>> = self.runs.iter().map(|run| run.written).collect();
        let written = written.map_or("?".into(), |written| format!("{:.2}", median(written)));
        let range = range(self.ratios.iter().copied());
        let once = if self.runs.len() == 1 { "  one run" } else { "" };
        format!(
            "{:<35} {:>10} {:>10.2} {:>13} {:>9} {:>10} {:>9}{once}\n",
            self.name,
            grouped(self.rate()),
            median(self.ratios.clone()),
            format!("({:.2}-{:.2})", range.0, range.1),
            grouped(self.wait_us()),
            mean,
            written,
        )
    }
}

/// The least and the greatest.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(least, greatest), value| {
        (f64::min(least, value), f64::max(greatest, value))
    })
}

/// The table of a shape, and how its aims were met, while others used so many cores.
pub(super) fn table(shape: Shape, rows: &[Row], others_cores: Option<f64>) -> String {
    let one = |count: usize, one: &str, more: &str| {
        let count_text = grouped(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        format!("{count_text} {}", if count == 1 { one } else { more })
    };
    let title = format!(
        "{} a batch, {} in flight",
        one(shape.events, "event", "events"),
        one(shape.in_flight, "batch", "batches"),
    );
    let head = format!(
        "{:<35} {:>10} {:>10} {:>13} {:>9} {:>10} {:>9}\n",
        "", "events/s", "x growing", "(range)", "wait, µs", "(mean)", "written"
    );
    let lines: String = rows.iter().map(Row::line).collect();
    let unsteady = unsteady(rows, others_cores);
    let aims = aims(shape, rows, unsteady.is_none());
    format!("\n{title}\n{head}{lines}{}{aims}", unsteady.unwrap_or_default())
}

/// A line that says what else went on, if it was enough to spoil the figures.
fn unsteady(rows: &[Row], others_cores: Option<f64>) -> Option<String> {
    let bare = rows.iter().find(|row| row.role == Role::Bare)?;
    let (slowest, fastest) = range(bare.runs.iter().map(|run| run.rate));
    if let Some(cores) = others_cores.filter(|cores| *cores > OTHERS_CORES) {
        Some(format!("unsteady: others used {cores:.2} cores meanwhile\n"))
    } else if fastest > slowest * STEADY {
        Some(format!(
            "unsteady: the growing file's rate went from {} to {} between rounds\n",
            grouped(slowest),
            grouped(fastest)
        ))
    } else {
        None
    }
}

/// A line for each aim that stands in a shape; without a verdict if the figures are not steady.
fn aims(shape: Shape, rows: &[Row], steady: bool) -> String {
    let row = |role| rows.iter().find(|row| row.role == role);
    let (Some(bare), Some(bound), Some(own), Some(direct)) =
        (row(Role::Bare), row(Role::Bound), row(Role::Own), row(Role::Direct))
    else {
        return String::new();
    };
    let verdict = |reached: bool| match (steady, reached) {
        (false, _) => "no verdict",
        (true, true) => "reached",
        (true, false) => "missed",
    };
    let mut out = String::new();
    if let Some((_, aim)) = OF_BARE.iter().find(|(events, _)| *events == shape.events) {
        let ratio = median(own.ratios.clone());
        out += &format!(
            "aim: {aim:.1} of the growing file's rate: {ratio:.2}, {}\n",
            verdict(ratio >= *aim)
        );
        let peers = rows.iter().filter(|row| row.role == Role::Peer);
        if let Some(best) = peers.max_by(|a, b| a.rate().total_cmp(&b.rate())) {
            let ratio = own.rate() / best.rate();
            out += &format!(
                "aim: {OF_PEERS:.0} times the best synced peer ({}): {ratio:.1}, {}\n",
                best.name,
                verdict(ratio >= OF_PEERS)
            );
        }
    }
    if shape == (Shape { events: 1, in_flight: 1 }) {
        let ratio = direct.wait_us() / bare.wait_us();
        let of_bound = direct.wait_us() / bound.wait_us();
        let extra_us = own.wait_us() - direct.wait_us();
        out += &format!(
            "aim: called directly, at most {DIRECT_OF_BARE} of the growing file's wait: {ratio:.2}, \
             {} (of the zero-filled file's: {of_bound:.2})\n\
             aim: at most {ASYNC_EXTRA_US:.0} µs more through the async interface: {extra_us:.0}, {}\n",
            verdict(ratio <= DIRECT_OF_BARE),
            verdict(extra_us <= ASYNC_EXTRA_US),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_row_each_and_its_aims() {
        let measured = |rate, median_us, written| Measured {
            rate,
            median_us,
            mean_us: median_us + 1.0,
            written,
            whole_s: 1.0,
        };
        let row = |name, role, rate, wait_us| {
            let mut row = Row::new(name, role);
            row.add(measured(rate, wait_us, Some(1.5)), 10_000.0);
            row.add(measured(rate, wait_us, None), 10_000.0);
            row
        };
        let rows = [
            row("growing", Role::Bare, 10_000.0, 100.0),
            row("zeroed", Role::Bound, 12_500.0, 80.0),
            row("direct", Role::Direct, 11_000.0, 120.0),
            row("log", Role::Own, 8_000.0, 210.0),
            row("peer", Role::Peer, 1_000.0, 1_000.0),
            row("unsynced", Role::Unsynced, 5_000.0, 200.0),
        ];
        let one = table(Shape { events: 1, in_flight: 1 }, &rows, Some(0.1));
        assert!(one.starts_with("\n1 event a batch, 1 batch in flight\n"), "{one}");
        let log = one.lines().find(|line| line.starts_with("log")).unwrap();
        let columns: Vec<_> = log.split_whitespace().collect();
        assert_eq!(columns, ["log", "8,000", "0.80", "(0.80-0.80)", "210", "(211)", "?"]);
        assert!(one.contains("1.20, reached (of the zero-filled file's: 1.50)"), "{one}");
        assert!(one.contains("async interface: 90, missed"), "{one}");
        let many = table(Shape { events: 1_000, in_flight: 8 }, &rows, None);
        assert!(many.contains("1,000 events a batch, 8 batches in flight"), "{many}");
        assert!(many.contains("aim: 0.7 of the growing file's rate: 0.80, reached"), "{many}");
        assert!(many.contains("synced peer (peer): 8.0, reached"), "{many}");
    }

    #[test]
    fn an_unsteady_machine_gets_no_verdict() {
        let mut rows =
            [Role::Bare, Role::Bound, Role::Direct, Role::Own].map(|role| Row::new("a", role));
        for rate in [100.0, 1_000.0] {
            for row in &mut rows {
                let measured =
                    Measured { rate, median_us: 1.0, mean_us: 1.0, written: None, whole_s: 1.0 };
                row.add(measured, rate);
            }
        }
        let shape = Shape { events: 100, in_flight: 1 };
        let text = table(shape, &rows, Some(0.1));
        assert!(text.contains("the growing file's rate went from 100 to 1,000"), "{text}");
        assert!(!text.contains("reached") && !text.contains("missed"), "{text}");
        let text = table(shape, &rows, Some(0.9));
        assert!(text.contains("unsteady: others used 0.90 cores"), "{text}");
    }
}
