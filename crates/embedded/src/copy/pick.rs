//! Which file has the group that is to be copied next.

use super::Reached;
use crate::{recovery::Listed, scan::segment_name, sealed::Range};

/// A file to copy from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    Sealed(Range),
    Segment {
        first: u64,
        /// Where the next file starts, if there is one.
        until: Option<u64>,
        /// Whether the last copy ended in it.
        goes_on: bool,
    },
}

/// Looks among files in order of their first position.
///
/// A segment of which a part was copied is preferred to the sealed file that has just been made of
/// it, since only the rest is left to copy.
pub(super) fn pick(files: &[Listed], reached: &Reached) -> Option<Pick> {
    let start = |file: &Listed| match file {
        Listed::Sealed(range) => range.first,
        Listed::Segment(first) => *first,
    };
    let next = reached.next;
    let segment = files.iter().rev().find_map(|file| match file {
        Listed::Segment(first) if *first <= next => Some(*first),
        _ => None,
    });
    let sealed = files.iter().find_map(|file| match file {
        Listed::Sealed(range) if (range.first..=range.last).contains(&next) => Some(*range),
        _ => None,
    });
    let last = reached.last.as_ref();
    let goes_on = |first: u64| last.is_some_and(|(name, _)| *name == segment_name(first));
    let segment = segment.map(|first| {
        let until = files.iter().map(start).find(|other| *other > first);
        Pick::Segment { first, until, goes_on: goes_on(first) }
    });
    match (segment, sealed) {
        (Some(segment @ Pick::Segment { until, goes_on: true, .. }), _)
            if until.is_none_or(|until| until > next) =>
        {
            Some(segment)
        }
        (_, Some(range)) => Some(Pick::Sealed(range)),
        (Some(segment @ Pick::Segment { until, .. }), None)
            if until.is_none_or(|until| until > next) =>
        {
            Some(segment)
        }
        _ => {
            // Where the log has a hole, it goes on behind it.
            let next = files.iter().map(start).find(|first| *first > next)?;
            pick(files, &Reached { next, last: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Span;

    fn check(files: &[&str], next: u64, last: Option<u64>, expected: &str) {
        let listed = |text: &&str| match text.split_once('-') {
            Some((first, last)) => {
                Listed::Sealed(Range { first: first.parse().unwrap(), last: last.parse().unwrap() })
            }
            None => Listed::Segment(text.parse().unwrap()),
        };
        let files: Vec<Listed> = files.iter().map(listed).collect();
        let span = Span {
            from: 0,
            to: 0,
            first: 0,
            next,
            recorded: matchwire_domain::timestamp::Timestamp::default(),
            is_end: false,
            mark: None,
            footer: None,
        };
        let last = last.map(|first| (segment_name(first), span));
        let found = match pick(&files, &Reached { next, last }) {
            None => "nothing".into(),
            Some(Pick::Sealed(range)) => format!("{}-{}", range.first, range.last),
            Some(Pick::Segment { first, until, goes_on }) => {
                let until = until.map_or("end".into(), |until| until.to_string());
                format!("{first} until {until}{}", if goes_on { ", going on" } else { "" })
            }
        };
        assert_eq!(found, expected, "{files:?} from {next}");
    }

    #[test]
    fn the_next_group_is_found_wherever_it_is() {
        check(&[], 1, None, "nothing");
        check(&["1"], 1, None, "1 until end");
        check(&["1"], 5, Some(1), "1 until end, going on");
        check(&["1", "9"], 5, Some(1), "1 until 9, going on");
        check(&["1", "9"], 9, Some(1), "9 until end");
        check(&["1-8", "1", "9"], 5, Some(1), "1 until 9, going on");
        check(&["1-8", "9"], 5, Some(1), "1-8");
        check(&["1-8", "9"], 1, None, "1-8");
        check(&["1-8", "1", "9"], 1, None, "1-8");
        check(&["1-8", "9-20", "21"], 9, None, "9-20");
        check(&["1-20", "1-8", "9-20", "21"], 9, None, "1-20");
        // The last group was moved to a segment of its own.
        check(&["1", "8"], 9, Some(1), "8 until end");
        // A file is missing.
        check(&["1-8", "21"], 9, None, "21 until end");
        check(&["5", "21"], 1, None, "5 until 21");
        check(&["1", "21", "30"], 30, Some(21), "30 until end");
    }
}
