//! What is in a copy, as a page that people read. It stands alone: no script, nothing from elsewhere.

use std::fmt::Write as _;

use matchwire_domain::{activity::Activity, timestamp::Timestamp};
use matchwire_players::{
    rating::{Rating, System},
    statistics::{Format, Reach, Span, Split},
    view::{Opponent, Record},
};
use serde_json::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;\
background:#fff}h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .75rem \
.35rem 0;border-bottom:1px solid #d8dee4}td.n,th.n{text-align:right}@media(prefers-color-scheme:dark){body{color:#e6edf3;\
background:#0d1117}th,td{border-color:#30363d}}";

/// How many of the newest activities are shown.
const ACTIVITIES: usize = 100;
/// How many of the opponents are shown.
const OPPONENTS: usize = 20;

/// What is shown.
pub(super) struct Shown<'a> {
    pub(super) person: &'a Value,
    pub(super) records: &'a [(Split, Record)],
    pub(super) ratings: &'a [Now],
    pub(super) met: &'a [Opponent],
    pub(super) newest: &'a [Activity],
}

/// What a person is rated now.
pub(super) struct Now {
    pub(super) game: String,
    pub(super) system: System,
    pub(super) rating: Rating,
}

/// The first of the activities that are told.
#[derive(Default)]
pub(super) struct Newest(pub(super) Vec<Activity>);

impl Newest {
    /// Takes one, if there is room for it.
    pub(super) fn add(&mut self, activity: Activity) {
        if self.0.len() < ACTIVITIES {
            self.0.push(activity);
        }
    }
}

/// Those of the opponents that are told whom a person has met the most often.
#[derive(Default)]
pub(super) struct Met(Vec<Opponent>);

impl Met {
    /// Takes one.
    pub(super) fn add(&mut self, opponent: Opponent) {
        self.0.push(opponent);
        if self.0.len() >= 50 * OPPONENTS {
            self.sort();
        }
    }

    /// The most often met first.
    pub(super) fn most(mut self) -> Vec<Opponent> {
        self.sort();
        self.0
    }

    fn sort(&mut self) {
        self.0.sort_by_key(|opponent| std::cmp::Reverse(opponent.versus.met()));
        self.0.truncate(OPPONENTS);
    }
}

/// The page.
pub(super) fn page(shown: &Shown<'_>, now: Timestamp) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>What is kept of you</title><style>{STYLE}</style><h1>What is kept of you</h1>\
         <p>As of {now}. The files beside this page have all of it, for programs: <code>activities.ndjson</code>, \
         <code>statistics.ndjson</code>, <code>ratings.ndjson</code>, <code>versus.ndjson</code>, \
         <code>decisions.ndjson</code>, <code>person.json</code>.</p>"
    );
    about(&mut page, shown.person);
    statistics(&mut page, shown.records);
    ratings(&mut page, shown.ratings);
    versus(&mut page, shown.met);
    activities(&mut page, shown.newest);
    page.push_str("</html>\n");
    page
}

fn about(page: &mut String, person: &Value) {
    page.push_str("<h2>Who you are here</h2><table>");
    for (name, key) in [("Account", "account"), ("Player", "player"), ("Public id", "public_id")] {
        let value = person.get(key).and_then(Value::as_str).unwrap_or("none");
        let _ = write!(page, "<tr><th>{name}</th><td>{}</td></tr>", escaped(value));
    }
    let names = person.get("names").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = names.filter_map(|name| name.get("name")?.as_str()).collect();
    let _ =
        write!(page, "<tr><th>Names in matches</th><td>{}</td></tr>", escaped(&names.join(", ")));
    let keys = |key: &str| {
        let of = person.get(key).and_then(Value::as_object);
        of.map(|of| of.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default()
    };
    let _ = write!(page, "<tr><th>Friends</th><td>{}</td></tr>", escaped(&keys("friends")));
    for key in ["privacy", "consents"] {
        let told = person.get(key).map(ToString::to_string).unwrap_or_default();
        let _ = write!(page, "<tr><th>{key}</th><td>{}</td></tr>", escaped(&told));
    }
    page.push_str("</table>");
}

fn statistics(page: &mut String, records: &[(Split, Record)]) {
    page.push_str(
        "<h2>What is counted</h2><table><tr><th>Game</th><th>In</th><th class=\"n\">Played</th><th class=\"n\">Won</th>\
         <th class=\"n\">Lost</th><th class=\"n\">Drawn</th></tr>",
    );
    let own = records
        .iter()
        .filter(|(split, _)| split.reach == Reach::Own && split.format == Format::Both);
    for (Split { game, span, .. }, Record { tally, .. }) in own {
        let span = match span {
            Span::Always => "all".into(),
            Span::Season(season) => format!("season {season}"),
            Span::Tournament(tournament) => format!("tournament {tournament}"),
        };
        let _ = write!(page, "<tr><td>{}</td><td>{}</td>", escaped(game), escaped(&span));
        for number in [tally.played, tally.won, tally.lost, tally.drawn] {
            let _ = write!(page, "<td class=\"n\">{number}</td>");
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
}

fn ratings(page: &mut String, ratings: &[Now]) {
    page.push_str(
        "<h2>What you are rated</h2><table><tr><th>Game</th><th>By</th><th class=\"n\">Rating</th>\
         <th class=\"n\">Give or take</th></tr>",
    );
    for Now { game, system, rating: Rating { rating, deviation, .. } } in ratings {
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{system}</td><td class=\"n\">{rating:.1}</td><td class=\"n\">{deviation:.1}</td></tr>",
            escaped(game)
        );
    }
    page.push_str("</table>");
}

fn versus(page: &mut String, met: &[Opponent]) {
    page.push_str(
        "<h2>Whom you met the most often</h2><table><tr><th>Game</th><th>Against</th><th class=\"n\">Won</th>\
         <th class=\"n\">Lost</th><th class=\"n\">Drawn</th></tr>",
    );
    for Opponent { game, player, versus } in met {
        let _ = write!(page, "<tr><td>{}</td><td>{}</td>", escaped(game), escaped(player));
        for number in [versus.won, versus.lost, versus.drawn] {
            let _ = write!(page, "<td class=\"n\">{number}</td>");
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
}

fn activities(page: &mut String, newest: &[Activity]) {
    page.push_str(
        "<h2>What you did last</h2><table><tr><th>When</th><th>What</th><th>In</th></tr>",
    );
    for activity in newest {
        let (time, kind) = (activity.deed.time, escaped(activity.kind.as_str()));
        let of = escaped(&activity.source_id);
        let taken_back = if activity.is_reversal() { ", taken back" } else { "" };
        let _ = write!(page, "<tr><td>{time}</td><td>{kind}{taken_back}</td><td>{of}</td></tr>");
    }
    page.push_str("</table>");
}

/// A text in a page.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
