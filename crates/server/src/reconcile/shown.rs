//! What a comparison has found, for a person and for a program.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use matchwire_players::view::reconcile::{Fixed, MAX_TOLD, Report};
use serde_json::{Value, json};

pub(super) fn json(
    report: &Report,
    fixed: Option<Fixed>,
    after: Option<&Report>,
    took: Duration,
) -> Value {
    let mut told = json!({"report": report, "took_seconds": took.as_secs_f64()});
    if let Value::Object(told) = &mut told {
        told.extend(fixed.map(|fixed| ("fixed".into(), json!(fixed))));
        told.extend(after.map(|after| ("after".into(), json!(after))));
    }
    told
}

pub(super) fn text(
    report: &Report,
    fixed: Option<Fixed>,
    after: Option<&Report>,
    took: Duration,
) -> String {
    let Report { players, activities, sources, .. } = report;
    let mut out = format!(
        "{activities} activities of {players} players and {sources} matches and tournaments compared in {:.1} s\n",
        took.as_secs_f64()
    );
    // Writing to a string cannot fail.
    if report.partial_sources > 0 {
        let _ = writeln!(
            out,
            "{} of them cannot be compared, since a part of their events was removed or is damaged",
            report.partial_sources
        );
    }
    if report.unsettled_sources > 0 {
        let _ = writeln!(
            out,
            "{} of them have events that the view has not seen yet; compare again once it has",
            report.unsettled_sources
        );
    }
    if report.is_clean() {
        out.push_str("nothing is wrong\n");
        return out;
    }
    let _ = writeln!(out, "wrong: {}\n", wrong(report));
    differences(&mut out, report);
    if let Some(fixed) = fixed.filter(|fixed| !fixed.is_too_much) {
        let Fixed { sources, players, .. } = fixed;
        let _ = writeln!(
            out,
            "\nrepaired: {sources} matches and tournaments; {players} players counted again"
        );
    }
    if after.is_some_and(Report::is_clean) {
        out.push_str("compared again: nothing is wrong\n");
    }
    out
}

/// Of how much something is wrong.
pub(super) fn wrong(report: &Report) -> String {
    let Report { drifted_players, drifted_sources, stray_rows, .. } = report;
    let mut wrong = format!("{drifted_players} players, {drifted_sources} matches and tournaments");
    if *stray_rows > 0 {
        let _ = write!(wrong, ", {stray_rows} rows of nobody");
    }
    wrong
}

fn differences(out: &mut String, report: &Report) {
    for drift in &report.in_sources {
        let (model, id) = (drift.source.model.as_str(), visible(&drift.source.id));
        let _ = writeln!(out, "{model} {id}");
        if drift.differences.is_empty() {
            out.push_str("  what is noted of it beside activities\n");
        }
        for difference in &drift.differences {
            let player = visible(&difference.player);
            if difference.kind.is_empty() {
                let _ = writeln!(out, "  {player}: an activity that cannot be read");
                continue;
            }
            let _ = writeln!(out, "  {player} {}", difference.kind);
            let [stored, right] = [&difference.stored, &difference.right]
                .map(|deed| deed.as_ref().map(|it| json!(it)));
            match difference.times {
                times if stored.is_some() && times != 1 => {
                    let _ = writeln!(out, "    stated {times} times more than it is taken back");
                }
                _ => both(out, stored.as_ref(), right.as_ref()),
            }
        }
    }
    for drift in &report.in_players {
        let _ = writeln!(out, "player {}", visible(&drift.player));
        for row in &drift.rows {
            let _ = writeln!(out, "  {} {}", row.table, visible(&row.of));
            both(out, row.stored.as_ref(), row.right.as_ref());
        }
    }
    let more = report.drifted_sources.saturating_sub(MAX_TOLD as u64);
    if more > 0 {
        let _ = writeln!(out, "and {more} more matches and tournaments");
    }
}

/// What is stored and what is right, where they differ.
fn both(out: &mut String, stored: Option<&Value>, right: Option<&Value>) {
    let mut line = |text: &str| {
        let _ = writeln!(out, "    {}", visible(text));
    };
    match (stored, right) {
        (Some(stored), Some(right)) => {
            for text in differing(&leaves(stored), &leaves(right)) {
                line(&text);
            }
        }
        (None, Some(Value::Bool(true))) => line("is missing"),
        (None, Some(right)) => line(&format!("is missing: {right}")),
        (Some(Value::Bool(true)), None) => line("should not be there"),
        (Some(stored), None) => line(&format!("should not be there: {stored}")),
        (None, None) => {}
    }
}

/// What is in a value, by the part of it and the names that lead there. Numbers and texts as JSON.
type Leaves = BTreeMap<(String, String), String>;

/// A line for each difference. One that is the same in several parts of the values is told once, and of which parts unless it is in all.
fn differing(stored: &Leaves, right: &Leaves) -> Vec<String> {
    let parts: BTreeSet<&String> =
        stored.keys().chain(right.keys()).map(|(part, _)| part).collect();
    let mut alike: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for place in stored.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
        let [stored, right] =
            [stored, right].map(|it| it.get(place).map_or("nothing", String::as_str));
        if stored != right {
            alike.entry((&place.1, stored, right)).or_default().push(&place.0);
        }
    }
    let told = alike.into_iter().map(|((name, stored, right), of)| {
        let of =
            if of.len() > 1 && of.len() == parts.len() { String::new() } else { of.join("; ") };
        let place: Vec<&str> = [&*of, name].into_iter().filter(|it| !it.is_empty()).collect();
        let place = if place.is_empty() { String::new() } else { place.join(", ") + ": " };
        format!("{place}stored {stored}, right {right}")
    });
    told.collect()
}

fn leaves(value: &Value) -> Leaves {
    let Value::Object(parts) = value else {
        return Leaves::from([(Default::default(), value.to_string())]);
    };
    let mut leaves = Leaves::new();
    for (name, value) in parts {
        match value {
            Value::Object(_) => put_leaves(name, "", value, &mut leaves),
            leaf => put_leaves("", name, leaf, &mut leaves),
        }
    }
    leaves
}

fn put_leaves(part: &str, at: &str, value: &Value, leaves: &mut Leaves) {
    let Value::Object(fields) = value else {
        leaves.insert((part.into(), at.into()), value.to_string());
        return;
    };
    for (name, value) in fields {
        let at = if at.is_empty() { name.clone() } else { format!("{at}, {name}") };
        put_leaves(part, &at, value, leaves);
    }
}

/// Without what does something to a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_nobody_are_wrong_too() {
        let report = Report { stray_rows: 2, ..Report::default() };
        let told = text(&report, None, None, Duration::ZERO);
        assert!(told.contains("wrong: 0 players, 0 matches and tournaments, 2 rows of nobody\n"));
    }

    #[test]
    fn what_differs_is_told_by_its_place() {
        let told = |stored: Option<Value>, right: Option<Value>| {
            let mut out = String::new();
            both(&mut out, stored.as_ref(), right.as_ref());
            out
        };
        let of = |won: u32| json!({"won": won, "streaks": {"won": won}});
        let records = |[one, other, third]: [u32; 3]| {
            Some(json!({"a": of(one), "b": of(other), "c": of(third)}))
        };
        assert_eq!(
            told(records([7, 7, 7]), records([5, 5, 5])),
            "    streaks, won: stored 7, right 5\n    won: stored 7, right 5\n"
        );
        assert_eq!(
            told(records([7, 7, 7]), records([5, 5, 7])),
            "    a; b, streaks, won: stored 7, right 5\n    a; b, won: stored 7, right 5\n"
        );
        let deeds = [json!({"team": "a", "against": ["x", "y"]}), json!({"against": ["x"]})];
        let [stored, right] = deeds.map(Some);
        assert_eq!(
            told(stored, right),
            "    against: stored [\"x\",\"y\"], right [\"x\"]\n    team: stored \"a\", right nothing\n"
        );
        assert_eq!(told(None, Some(json!({"won": 1}))), "    is missing: {\"won\":1}\n");
        assert_eq!(told(Some(json!(true)), None), "    should not be there\n");
        assert_eq!(
            told(Some(json!("\u{1b}[31m")), Some(json!(1))),
            "    stored \"\\u001b[31m\", right 1\n"
        );
    }
}
