//! What is in a copy, as a page that people read. It stands alone: no script, nothing from elsewhere.

use std::fmt::Write as _;

use matchwire_domain::{activity::Activity, timestamp::Timestamp};
use matchwire_players::{
    statistics::{Format, Reach, Span, Split},
    view::Record,
};
use serde_json::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;\
background:#fff}h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .75rem \
.35rem 0;border-bottom:1px solid #d8dee4}td.n,th.n{text-align:right}@media(prefers-color-scheme:dark){body{color:#e6edf3;\
background:#0d1117}th,td{border-color:#30363d}}";

/// The page.
pub(super) fn page(
    person: &Value,
    records: &[(Split, Record)],
    newest: &[Activity],
    now: Timestamp,
) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>What is kept of you</title><style>{STYLE}</style><h1>What is kept of you</h1>\
         <p>As of {now}. The files beside this page have all of it, for programs: <code>activities.ndjson</code>, \
         <code>statistics.ndjson</code>, <code>decisions.ndjson</code>, <code>person.json</code>.</p>"
    );
    about(&mut page, person);
    statistics(&mut page, records);
    activities(&mut page, newest);
    page.push_str("</html>\n");
    page
}

fn about(page: &mut String, person: &Value) {
    page.push_str("<h2>Who you are here</h2><table>");
    for (name, key) in [("Account", "account"), ("Player", "player"), ("Public id", "public_id")] {
        let value = person.get(key).and_then(Value::as_str).unwrap_or("none");
        let _ = write!(page, "<tr><th>{name}</th><td>{}</td></tr>", escaped(value));
    }
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
