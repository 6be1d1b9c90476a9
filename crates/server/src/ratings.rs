//! `matchwire players ratings`: everybody's rating by all matches of a log, folded anew by a system and parameters of the
//! operator's choice, and how well that foresaw who wins. What a server serves is not touched.

mod history;

use anyhow::{Context as _, bail};
use matchwire_embedded::Export;
use matchwire_players::rating::{
    Bout, Foresight, Formula, Parameter, Rated, Rating, Replay, System,
};
use serde_json::{Value, json};

use self::history::History;
use crate::{
    cli::Ratings,
    terminal::{print, table},
};

/// Runs the command.
pub(crate) fn run(args: &Ratings) -> anyhow::Result<()> {
    let formulas = formulas(args)?;
    let folder = args.data.join("log");
    let reader = Export::open(&folder, args.archive.open()?)
        .with_context(|| format!("cannot read the log in {}", folder.display()))?;
    let rated = if args.teams { Rated::Teams } else { Rated::Players };
    let mut bouts = Vec::new();
    let mut history = History::of(reader)?;
    history.each(|outcome| {
        let bout = (outcome.game == args.game).then(|| Bout::of(outcome, rated));
        bouts.extend(bout.flatten());
    })?;
    let replays: Vec<(Formula, Replay)> =
        formulas.into_iter().map(|formula| (formula, Replay::of(formula, bouts.clone()))).collect();
    let missing = history.missing();
    if args.json {
        let systems: Vec<Value> =
            replays.iter().map(|(formula, replay)| told(formula, replay, args.top)).collect();
        let told = json!({"game": args.game, "systems": systems, "missing_streams": missing});
        return Ok(print(&format!("{told}\n"))?);
    }
    let mut out = compared(&args.game, &replays);
    for (formula, replay) in &replays {
        out += &standings(formula, replay, args.top);
    }
    if missing > 0 {
        out += &format!("\n{missing} streams could not be read to their ends; see log verify\n");
    }
    Ok(print(&out)?)
}

/// What is tried. A parameter is for the systems that have it, and there must be one.
fn formulas(args: &Ratings) -> anyhow::Result<Vec<Formula>> {
    let given = [
        (Parameter::Tau, args.tau),
        (Parameter::Beta, args.beta),
        (Parameter::K, args.k),
        (Parameter::Deviation, args.deviation),
    ];
    let mut systems = args.system.clone();
    if systems.is_empty() {
        let is_asked = |system: &System| {
            let has =
                |parameter| Formula::from(*system).parameters().any(|(own, _)| own == parameter);
            given.iter().all(|(parameter, value)| value.is_none() || has(*parameter))
        };
        systems = System::ALL.into_iter().filter(is_asked).collect();
        if systems.is_empty() {
            bail!("no system has all of these parameters; name one with --system");
        }
    }
    let formula = |system| {
        let values = given.iter().filter_map(|(parameter, value)| Some((*parameter, (*value)?)));
        values.into_iter().try_fold(Formula::from(system), |formula, (parameter, value)| {
            formula.with(parameter, value)
        })
    };
    Ok(systems.into_iter().map(formula).collect::<Result<_, _>>()?)
}

/// Everybody, the highest first by what their rating is at least, and the first so many of them.
fn highest(formula: &Formula, replay: &Replay, top: usize) -> Vec<(String, Rating, u64)> {
    let all = replay.now.iter().map(|(who, (rating, bouts))| (who.clone(), *rating, *bouts));
    let mut all: Vec<(String, Rating, u64)> = all.collect();
    let floor = |rating: &Rating| rating.floor(formula.system());
    all.sort_by(|(one, rating, _), (other, others, _)| {
        floor(others).total_cmp(&floor(rating)).then_with(|| one.cmp(other))
    });
    all.truncate(top);
    all
}

fn told(formula: &Formula, replay: &Replay, top: usize) -> Value {
    let parameters: serde_json::Map<String, Value> =
        formula.parameters().map(|(name, value)| (name.to_string(), value.into())).collect();
    let ratings: Vec<Value> = highest(formula, replay, top)
        .into_iter()
        .map(|(who, rating, bouts)| {
            json!({
                "id": who,
                "rating": rating.rating,
                "deviation": rating.deviation,
                "floor": rating.floor(formula.system()),
                "bouts": bouts,
            })
        })
        .collect();
    json!({
        "system": formula.system(),
        "parameters": parameters,
        "rated": replay.now.len(),
        "all": replay.all,
        "known": replay.known,
        "ratings": ratings,
    })
}

const HEAD: [&str; 8] =
    ["SYSTEM", "PARAMETERS", "BOUTS", "ACCURACY", "LOG LOSS", "BRIER", "KNOWN", "LOG LOSS"];

fn compared(game: &str, replays: &[(Formula, Replay)]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    for (formula, replay) in replays {
        let parameters: Vec<String> =
            formula.parameters().map(|(name, value)| format!("{name} {value:.3}")).collect();
        let Foresight { bouts, accuracy, log_loss, brier, .. } = replay.all;
        rows.push([
            formula.system().to_string(),
            parameters.join(", "),
            bouts.to_string(),
            figure(accuracy),
            figure(log_loss),
            figure(brier),
            replay.known.bouts.to_string(),
            figure(replay.known.log_loss),
        ]);
    }
    if replays.iter().all(|(_, replay)| replay.all.bouts == 0) {
        return format!("no match of {game:?} was decided by play; games are named as in cs2\n");
    }
    let note = "KNOWN are those in which nobody played for the first time. A coin has 0.5000, 0.6931, 0.2500.\n";
    table(&rows) + note
}

fn standings(formula: &Formula, replay: &Replay, top: usize) -> String {
    let all = highest(formula, replay, top);
    if all.is_empty() {
        return String::new();
    }
    let heads = ["PLACE", "ID", "AT LEAST", "RATING", "DEVIATION", "BOUTS"];
    let mut rows = vec![heads.map(str::to_owned)];
    for (place, (who, rating, bouts)) in (1..).zip(all) {
        rows.push([
            place.to_string(),
            who,
            format!("{:.2}", rating.floor(formula.system())),
            format!("{:.2}", rating.rating),
            format!("{:.2}", rating.deviation),
            bouts.to_string(),
        ]);
    }
    format!("\n{}, {} rated\n{}", formula.system(), replay.now.len(), table(&rows))
}

fn figure(figure: Option<f64>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.4}"))
}
