//! What a row is of, and what is in it, for a person.

use matchwire_log::view_store::Table;
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::{
    BOARDS, COURSES, LADDERS, RECORDS, VERSUS,
    keys::{read_number, read_place, read_text, split_text},
    ladders::Ratings,
    records::{Records, read_key},
};
use crate::{
    rating::{Rating, System},
    statistics::{Format, Reach, Span, Split},
};

/// What a row is of.
pub(super) fn of(table: Table, key: &[u8]) -> String {
    words(table, key).unwrap_or_else(|| String::from_utf8_lossy(key).into_owned())
}

fn words(table: Table, key: &[u8]) -> Option<String> {
    let behind = || Some(split_text(key)?.1);
    match table {
        RECORDS => {
            let (game, span) = read_key(key)?;
            Some(format!("{game}{}", span_words(&span)))
        }
        VERSUS => {
            let (game, rest) = read_text(behind()?)?;
            Some(format!("{game} against {}", read_text(rest)?.0))
        }
        BOARDS => {
            let (split, rest) = read_text(key)?;
            let Split { game, span, format, .. } = serde_json::from_str(&split).ok()?;
            let (span, format) = (span_words(&span), format_words(format));
            Some(format!("{game}{span}, {format}, with {} won", !read_number(rest)?))
        }
        COURSES => {
            let (game, _) = read_text(key)?;
            let (_player, place) = split_text(behind()?)?;
            Some(format!("{game} after {}", read_place(place)?.match_id))
        }
        LADDERS => Some(format!("{} by {}", read_text(key)?.0, read_text(behind()?)?.0)),
        _ => Some(read_text(key)?.0),
    }
}

/// What is in a row; that it is there, where nothing is in it.
pub(super) fn value(table: Table, stored: &[u8]) -> Value {
    let value = match table {
        RECORDS => Records::read(stored).map(|records| {
            let record = |((format, reach), record): (&(Format, Reach), _)| {
                (format!("{} {}", format_words(*format), reach_words(*reach)), json(record))
            };
            Value::Object(records.0.iter().map(record).collect())
        }),
        COURSES => serde_json::from_slice::<Ratings>(stored).ok().map(|ratings| {
            let systems = System::SERVED.into_iter().zip(ratings);
            let rating = |(system, steps): (System, _)| (system.to_string(), rating(steps));
            Value::Object(systems.map(rating).collect::<Map<_, _>>())
        }),
        LADDERS => serde_json::from_slice::<[i64; 3]>(stored).ok().map(rating),
        _ => serde_json::from_slice(stored).ok(),
    };
    let unreadable = || match stored {
        [] => Value::Bool(true),
        _ => Value::String(String::from_utf8_lossy(stored).into_owned()),
    };
    value.unwrap_or_else(unreadable)
}

fn rating(steps: [i64; 3]) -> Value {
    json(&Rating::from_steps(steps))
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn span_words(span: &Span) -> String {
    match span {
        Span::Always => String::new(),
        Span::Season(season) => format!(", season {season}"),
        Span::Tournament(name) => format!(", tournament {name}"),
    }
}

fn format_words(format: Format) -> &'static str {
    match format {
        Format::Solo => "solo",
        Format::Team => "in teams",
        Format::Both => "solo and in teams",
    }
}

fn reach_words(reach: Reach) -> &'static str {
    match reach {
        Reach::Own => "for the player",
        Reach::Others => "for others",
    }
}
