//! What a comparison has found, for a person and for a program.

use std::{fmt::Write as _, time::Duration};

use matchwire_domain::activity::Deed;
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
            let (stored, right) = (&difference.stored, &difference.right);
            let times = difference.times;
            let stored = match stored {
                Some(_) if times != 1 => format!("stated {times} times"),
                stored => deed(stored.as_ref()),
            };
            let _ = writeln!(out, "  {player} {}", difference.kind);
            let _ = writeln!(out, "    stored {stored}\n    right  {}", deed(right.as_ref()));
        }
    }
    for drift in &report.in_players {
        let _ = writeln!(out, "player {}", visible(&drift.player));
        for row in &drift.rows {
            let value =
                |value: &Option<Value>| value.as_ref().map_or("nothing".into(), Value::to_string);
            let _ = writeln!(out, "  {} {}", row.table, visible(&row.of));
            let _ = writeln!(out, "    stored {}", visible(&value(&row.stored)));
            let _ = writeln!(out, "    right  {}", visible(&value(&row.right)));
        }
    }
    let more = report.drifted_sources.saturating_sub(MAX_TOLD as u64);
    if more > 0 {
        let _ = writeln!(out, "and {more} more matches and tournaments");
    }
}

fn deed(deed: Option<&Deed>) -> String {
    let text = deed.and_then(|deed| serde_json::to_string(deed).ok());
    visible(&text.unwrap_or_else(|| "nothing".into()))
}

/// Without what does something to a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
