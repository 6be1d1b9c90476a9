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
    let Report { players, activities, sources, drifted_players, drifted_sources, .. } = report;
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
    let _ = writeln!(
        out,
        "wrong: {drifted_players} players, {drifted_sources} matches and tournaments\n"
    );
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
    let _ = match (stored, right) {
        (Some(stored), Some(right)) => {
            let [stored, right] = [stored, right].map(leaves);
            let places: BTreeSet<&String> = stored.keys().chain(right.keys()).collect();
            for place in places {
                let [stored, right] = [&stored, &right].map(|it| it.get(place).map(String::as_str));
                if stored != right {
                    let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
                    let [stored, right] = [stored, right].map(|it| it.unwrap_or("nothing"));
                    let _ = writeln!(
                        out,
                        "    {}",
                        visible(&format!("{place}stored {stored}, right {right}"))
                    );
                }
            }
            Ok(())
        }
        (None, Some(Value::Bool(true))) => writeln!(out, "    is missing"),
        (None, Some(right)) => writeln!(out, "    is missing: {}", visible(&right.to_string())),
        (Some(Value::Bool(true)), None) => writeln!(out, "    should not be there"),
        (Some(stored), None) => {
            writeln!(out, "    should not be there: {}", visible(&stored.to_string()))
        }
        (None, None) => Ok(()),
    };
}

/// What is in a value, by the names that lead there; numbers and texts as JSON.
fn leaves(value: &Value) -> BTreeMap<String, String> {
    let named: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(items) if items.iter().any(|it| it.is_object() || it.is_array()) => {
            items.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect()
        }
        leaf => return BTreeMap::from([(String::new(), leaf.to_string())]),
    };
    let below = named.into_iter().flat_map(|(name, value)| {
        leaves(value).into_iter().map(move |(place, leaf)| {
            (if place.is_empty() { name.clone() } else { format!("{name}, {place}") }, leaf)
        })
    });
    below.collect()
}

/// Without what does something to a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_by_its_place() {
        let told = |stored: Option<Value>, right: Option<Value>| {
            let mut out = String::new();
            both(&mut out, stored.as_ref(), right.as_ref());
            out
        };
        let record = |won: u32| json!({"in teams for others": {"won": won, "lost": 1}});
        assert_eq!(
            told(Some(record(7)), Some(record(5))),
            "    in teams for others, won: stored 7, right 5\n"
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
