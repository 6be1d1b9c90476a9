//! The recording as the trainer needs it: moments, who won, and which match each belongs to.

use std::{fs::File, hint::black_box, io::Read, path::Path, time::Instant};

use anyhow::Context as _;
use matchwire_domain::live_match::cs::odds::{Features, Known, Model, Moment, features};
use matchwire_sources::cs_rows::{Columns, Follower, Row};

/// A row of the recording.
pub(crate) struct Example {
    row: Row,
    map_name: Option<String>,
    /// The match's number.
    pub(crate) match_no: u32,
    /// Whether CT won the round.
    pub(crate) ct_won: bool,
}

/// Reads a CSV, compressed with zstd.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Example>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    examples(zstd::Decoder::new(file)?)
}

fn examples(input: impl Read) -> anyhow::Result<Vec<Example>> {
    let mut reader = csv::Reader::from_reader(input);
    let header = reader.headers()?.clone();
    let columns = Columns::of(header.iter());
    let at = |name: &str| header.iter().position(|known| known == name);
    let winner = at("round_winner").context("there is no column `round_winner`")?;
    let match_no = at("match_no").context("there is no column `match_no`")?;
    let mut examples = Vec::new();
    for record in reader.records() {
        let record = record?;
        let row = columns.read(|column| record.get(column))?;
        examples.push(Example {
            row,
            map_name: columns.map_name(|column| record.get(column)).map(str::to_owned),
            match_no: record.get(match_no).unwrap_or_default().parse()?,
            ct_won: match record.get(winner).unwrap_or_default() {
                "CT" => true,
                "T" => false,
                other => anyhow::bail!("`round_winner` is `{other}`, where CT or T belongs"),
            },
        });
    }
    anyhow::ensure!(!examples.is_empty(), "there are no rows");
    Ok(examples)
}

/// What a source that knows so much would tell of every row, and its features. Nothing of a row comes
/// from rows after it.
pub(crate) fn seen(examples: &[Example], known: Known) -> Vec<(Moment, Features)> {
    let mut follower = Follower::default();
    let mut see = |example: &Example| {
        let moment = example.row.moment.restricted(known);
        let row = Row { moment, ..example.row };
        let history = follower.see(&row, example.map_name.as_deref());
        (moment, features(&moment, history))
    };
    examples.iter().map(&mut see).collect()
}

/// How long a prediction takes with its history and its features, in microseconds: the mean over all
/// rows, of the quickest of ten times.
pub(crate) fn cost_us(examples: &[Example]) -> f64 {
    let once = |_| {
        let mut follower = Follower::default();
        let start = Instant::now();
        for example in examples {
            let history = follower.see(&example.row, example.map_name.as_deref());
            black_box(Model::Boosted.ct_wins_at(&example.row.moment, history));
        }
        start.elapsed().as_secs_f64() * 1e6 / crate::linear::count(examples.len())
    };
    (0..10).map(once).fold(f64::INFINITY, f64::min)
}

/// Predictions of every row by a model of this program, if a source knew so much.
#[cfg(test)]
pub(crate) fn predicted(
    examples: &[Example],
    known: Known,
    model: Model,
) -> impl Iterator<Item = crate::judge::Judged> {
    let mut follower = Follower::default();
    examples.iter().map(move |example| {
        let moment = example.row.moment.restricted(known);
        let row = Row { moment, ..example.row };
        let history = follower.see(&row, example.map_name.as_deref());
        crate::judge::Judged {
            p: model.ct_wins_at(&moment, history),
            ct_won: example.ct_won,
            stage: moment.stage(),
        }
    })
}
