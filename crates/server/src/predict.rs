//! `matchwire predict`: one number a row, P(CT wins the round), from that row and the rows above it.
//!
//! What a column means and where a match begins is left to `matchwire_sources::cs_rows`, the prediction
//! to the models of the domain; here a file is opened and numbers are printed.

use std::{
    fs::File,
    io::{BufWriter, Read, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use matchwire_domain::live_match::cs::odds::{MODELS, Model};
use matchwire_sources::cs_rows::{Columns, Follower};

/// `matchwire predict`.
#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// Rows of snapshots, oldest first, with the names of the columns above them; compressed if it ends
    /// in .zst; - is the standard input. A column that is missing or a cell that is empty is not known
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// The model
    #[arg(long, default_value = Model::default().name(), value_parser = model)]
    model: Model,
    /// Print a JSON object for each row
    #[arg(long)]
    json: bool,
}

fn model(name: &str) -> Result<Model, String> {
    let known = MODELS.map(Model::name).join(", ");
    Model::named(name).ok_or_else(|| format!("there are these models: {known}"))
}

pub(crate) fn run(args: &Predict) -> anyhow::Result<()> {
    let input = open(&args.csv)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let done = predict(input, args.model, |row, p| {
        let written = if args.json {
            writeln!(out, "{{\"row\":{row},\"ct\":{p:.6},\"model\":\"{}\"}}", args.model.name())
        } else {
            writeln!(out, "{p:.6}")
        };
        Ok(written?)
    });
    let flushed = out.flush().map_err(anyhow::Error::from);
    match done.and(flushed) {
        // Whoever reads the numbers has read enough.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done.with_context(|| format!("cannot predict {}", args.csv.display())),
    }
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    if path.extension().is_some_and(|extension| extension == "zst") {
        return Ok(Box::new(zstd::Decoder::new(file)?));
    }
    Ok(Box::new(file))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Gives each row's number, from 1, and its prediction to `tell`.
fn predict(
    input: impl Read,
    model: Model,
    mut tell: impl FnMut(u64, f64) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = csv::Reader::from_reader(input);
    let mut header = reader.headers()?.clone();
    header.trim();
    let columns = Columns::of(header.iter().map(|name| name.trim_start_matches('\u{feff}')));
    anyhow::ensure!(
        !columns.are_unknown(),
        "none of the columns is known; the first line names them, as in `time_left`, `ct_money`"
    );
    let mut follower = Follower::default();
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    while reader.read_record(&mut record)? {
        number += 1;
        let cell = |column| record.get(column);
        let row = columns.read(cell).with_context(|| {
            let line = record.position().map_or(0, csv::Position::line);
            format!("row {number} (line {line})")
        })?;
        let history = follower.see(&row, columns.map_name(cell));
        tell(number, model.ct_wins_at(&row.moment, history))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predicted(csv: &str) -> anyhow::Result<Vec<f64>> {
        let mut all = Vec::new();
        predict(csv.as_bytes(), Model::default(), |_, p| {
            all.push(p);
            Ok(())
        })?;
        Ok(all)
    }

    const ROWS: &str = "map,time_left,bomb_planted,ct_players_alive,t_players_alive,ct_score,t_score,ct_money,t_money,round_winner
de_nuke,175,0,5,5,0,0,4000,4000,T
de_nuke,95,0,5,5,0,0,600,300,T
de_nuke,75,0,5,2,0,0,600,300,T
de_nuke,175,0,5,5,0,1,9000,16000,CT
de_nuke,95,0,2,5,0,1,800,1200,CT
";

    #[test]
    fn a_row_has_a_number() {
        let all = predicted(ROWS).unwrap();
        assert_eq!(all.len(), 5);
        assert!(all.iter().all(|p| (0.001..=0.999).contains(p)));
        assert!(all[2] > 0.8 && all[4] < 0.2, "{all:?}");
    }

    #[test]
    fn nothing_below_a_row_and_no_winner_is_read() {
        let all = predicted(ROWS).unwrap();
        for rows in 1..=5 {
            let above: String = ROWS.split_inclusive('\n').take(rows + 1).collect();
            assert_eq!(predicted(&above).unwrap(), all[..rows]);
        }
        assert_eq!(predicted(&ROWS.replace(",T\n", ",CT\n")).unwrap(), all);
    }

    #[test]
    fn a_round_is_known_by_its_score_or_its_number() {
        let all = predicted(ROWS).unwrap();
        let mut lines = ROWS.lines();
        let mut numbered = format!("match_no,round_no,{}\n", lines.next().unwrap());
        for (line, round) in lines.zip([1, 1, 1, 2, 2]) {
            numbered.push_str(&format!("7,{round},{line}\n"));
        }
        assert_eq!(predicted(&numbered).unwrap(), all);
    }

    #[test]
    fn what_is_empty_is_missing() {
        let without = "time_left,ct_players_alive,t_players_alive\n60,5,3\n60,3,5\n";
        let empty = "time_left,ct_money,ct_players_alive,t_players_alive\n60,,5,3\n60,,3,5\n";
        let all = predicted(without).unwrap();
        assert_eq!(predicted(empty).unwrap(), all);
        assert!(all[0] > 0.6 && all[1] < 0.4, "{all:?}");
    }

    #[test]
    fn a_bad_cell_has_a_row_and_a_column() {
        let error = predicted("time_left,ct_money\n60,100\n50,lots\n").unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("row 2 (line 3)") && text.contains("`ct_money` has `lots`"),
            "{text}"
        );
        for bad in ["-1", "NaN", "inf", "1e30"] {
            assert!(predicted(&format!("time_left\n{bad}\n")).is_err(), "{bad}");
        }
        assert!(predicted("bomb_planted\n2\n").is_err());
        assert!(predicted("a,b\n1,2\n").is_err());
        assert!(predicted("time_left,ct_money\n1\n").is_err());
        assert_eq!(predicted("time_left\n").unwrap(), [0.0; 0]);
    }
}
