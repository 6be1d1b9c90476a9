//! Where a match and a round begin, seen from the rows, and what the rows above a row tell.

use matchwire_domain::live_match::cs::{
    Side,
    odds::{History, Moment},
};

use super::Row;

/// Rounds of a half where nothing says otherwise, by the rules of the data (MR15).
const HALF: u16 = 15;

/// Follows the rows of matches that stand one after the other.
#[derive(Debug, Clone, Default)]
pub struct Follower {
    last: Option<(Row, Option<String>)>,
    history: History,
}

/// What begins with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Match,
    Round,
    None,
}

impl Follower {
    /// Takes the next row and the name of its map; answers what the rows up to it tell.
    pub fn see(&mut self, row: &Row, map_name: Option<&str>) -> &History {
        match self.turn(row, map_name) {
            Turn::Match => {
                self.history = History::default();
                self.history.begin(&row.moment);
            }
            Turn::Round => {
                if let Some((last, _)) = &self.last {
                    let (winner, swapped) = won(last, row);
                    let afresh = row.score.is_some_and(|[ct, t]| is_afresh(ct + t));
                    self.history.end(&last.moment, winner, swapped, afresh);
                }
                self.history.begin(&row.moment);
            }
            Turn::None => self.history.see(&row.moment),
        }
        let same = |(_, name): &(Row, Option<String>)| name.as_deref() == map_name;
        match &mut self.last {
            Some(last) if same(last) => last.0 = *row,
            last => *last = Some((*row, map_name.map(str::to_owned))),
        }
        &self.history
    }

    fn turn(&self, row: &Row, map_name: Option<&str>) -> Turn {
        let Some((last, last_map)) = &self.last else { return Turn::Match };
        let differs = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| (a - b).abs() > 0.5);
        let played = |row: &Row| row.score.map(|[ct, t]| ct + t);
        let (before, after) = (played(last), played(row));
        let maps = last_map.as_deref().zip(map_name);
        if differs(last.match_no, row.match_no) == Some(true)
            || maps.is_some_and(|(last, now)| last != now)
            || before.zip(after).is_some_and(|(before, after)| after < before)
            || last.round_no.zip(row.round_no).is_some_and(|(last, now)| now < last)
        {
            return Turn::Match;
        }
        let told = differs(last.round_no, row.round_no);
        let seen = before.zip(after).map(|(before, after)| before != after);
        let is_new = match (told, seen) {
            (None, None) => goes_back(&last.moment, &row.moment),
            (told, seen) => told == Some(true) || seen == Some(true),
        };
        if is_new { Turn::Round } else { Turn::None }
    }
}

/// Whether something is undone that only a new round undoes: the bomb, a death, the clock.
fn goes_back(last: &Moment, now: &Moment) -> bool {
    let rises = |last: Option<f32>, now: Option<f32>, by: f32| {
        last.zip(now).is_some_and(|(last, now)| now > last + by)
    };
    let [ct, t] = &last.sides;
    let [ct_now, t_now] = &now.sides;
    let (was, is) = (last.planted == Some(true), now.planted == Some(true));
    (was && !is)
        || rises(ct.alive, ct_now.alive, 0.0)
        || rises(t.alive, t_now.alive, 0.0)
        // The clock is set at the planting, and while a match is paused in its time to buy.
        || (was == is && rises(last.left_s, now.left_s, 25.0))
}

/// Who won the round between two moments, and whether the teams changed sides after it.
fn won(last: &Row, now: &Row) -> (Option<Side>, bool) {
    let (Some([ct, t]), Some([ct_now, t_now])) = (last.score, now.score) else {
        return (None, false);
    };
    let after = |ct_now: u16, t_now: u16| match (ct_now.checked_sub(ct), t_now.checked_sub(t)) {
        (Some(1), Some(0)) => Some(Side::Ct),
        (Some(0), Some(1)) => Some(Side::T),
        _ => None,
    };
    let (same, swapped) = (after(ct_now, t_now), after(t_now, ct_now));
    match (same, swapped) {
        (_, Some(winner)) if may_swap(ct_now + t_now) => (Some(winner), true),
        (Some(winner), _) => (Some(winner), false),
        (None, Some(winner)) => (Some(winner), true),
        (None, None) => (None, false),
    }
}

/// Whether the teams change sides after so many rounds.
fn may_swap(played: u16) -> bool {
    match played.checked_sub(2 * HALF) {
        Some(overtime) => overtime % 6 == 3,
        None => played == HALF,
    }
}

/// Whether the teams begin with new money after so many rounds without changing sides.
fn is_afresh(played: u16) -> bool {
    played.checked_sub(2 * HALF).is_some_and(|overtime| overtime.is_multiple_of(6))
}
