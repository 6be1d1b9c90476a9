//! What is counted, and that the order of arrival does not matter.

use matchwire_domain::{
    activity::{Activity, Deed, Kind, Model},
    timestamp::Timestamp,
};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::Key;

/// Activity of a player, at a second: `match kind`, with what else is to be said of it.
fn activity(second: i64, told: &str, with: impl FnOnce(&mut Deed)) -> Activity {
    let (source_id, kind) = told.split_once(' ').unwrap();
    let mut deed = Deed { game: "cs2".into(), ..Deed::at(Timestamp::from_ms(second * 1_000)) };
    with(&mut deed);
    Activity {
        player: "p".into(),
        source_model: Model::Match,
        source_id: source_id.into(),
        kind: Kind::from(kind.to_owned()),
        revision: 1,
        deed,
    }
}

fn plain(second: i64, told: &str) -> Activity {
    activity(second, told, |_| {})
}

fn reversal(of: &Activity) -> Activity {
    Activity { revision: of.revision + 1, ..of.clone() }
}

fn split(format: Format, reach: Reach) -> Split {
    Split { game: "cs2".into(), span: Span::Always, format, reach }
}

fn record(activities: &[Activity]) -> Record {
    let split = split(Format::Both, Reach::Own);
    Statistics::of(activities).record("p", &split).cloned().unwrap_or_default()
}

#[test]
fn where_something_counts() {
    let told = activity(1, "m match_won", |deed| {
        deed.is_team = true;
        deed.season = Some("s".into());
        deed.tournament = Some("t".into());
    });
    let splits = Split::all_of(&told.deed);
    assert_eq!(splits.len(), 12);
    let json = serde_json::to_string(&splits[4]).unwrap();
    assert_eq!(json, r#"{"game":"cs2","span":"season","of":"s","format":"team","reach":"own"}"#);
    assert_eq!(serde_json::from_str::<Split>(&json).unwrap(), splits[4]);
    let private = activity(1, "m match_won", |deed| deed.is_private = true);
    for deed in [&told.deed, &private.deed] {
        let all = Split::all_of(deed);
        let others = splits.iter().chain(&all).flat_map(|split| {
            let game = Split { game: "other".into(), ..split.clone() };
            let season = Split { span: Span::Season("other".into()), ..split.clone() };
            let formats =
                [Format::Solo, Format::Team].map(|it| Split { format: it, ..split.clone() });
            [split.clone(), game, season].into_iter().chain(formats)
        });
        for split in others {
            assert_eq!(split.has(deed), all.contains(&split), "{split:?} {deed:?}");
        }
    }
    let seen = Statistics::of([&private]);
    assert_eq!(seen.record("p", &split(Format::Solo, Reach::Own)).unwrap().tally.won, 1);
    assert_eq!(
        seen.record("p", &split(Format::Both, Reach::Others)),
        None,
        "no total gives it away"
    );
    assert_eq!(seen.record("p", &split(Format::Team, Reach::Own)), None);
}

#[test]
fn what_counts_as_what() {
    let forfeit = |told: &str| activity(9, told, |deed| deed.by_forfeit = true);
    let placed = |told: &str, place: u32| activity(9, told, |deed| deed.place = Some(place));
    let all = [
        plain(1, "m1 match_played"),
        plain(1, "m1 match_won"),
        plain(2, "m2 match_played"),
        plain(2, "m2 match_lost"),
        plain(3, "m3 match_played"),
        plain(3, "m3 match_drawn"),
        forfeit("m4 match_won"),
        forfeit("m5 match_lost"),
        plain(4, "m6 match_played"),
        activity(1, "m1 ace", |deed| deed.count = 3),
        plain(1, "t1 tournament_joined"),
        placed("t1 tournament_placed", 1),
        placed("t1 tournament_won", 1),
        plain(1, "t2 tournament_joined"),
        placed("t2 tournament_placed", 4),
    ];
    let tally = record(&all).tally;
    let counted = Tally {
        played: 4,
        won: 1,
        lost: 1,
        drawn: 1,
        forfeits_won: 1,
        forfeits_lost: 1,
        tournaments: 2,
        podiums: 1,
        tournaments_won: 1,
        feats: [("ace".to_owned(), 3)].into(),
    };
    assert_eq!(tally, counted);
    assert_eq!((tally.win_rate(), tally.per_match("ace")), (Some(1.0 / 3.0), Some(0.75)));
    assert_eq!((Tally::default().win_rate(), tally.per_match("goal")), (None, Some(0.0)));
    let taken_back: Vec<_> = all.iter().map(reversal).collect();
    assert_eq!(Statistics::of(all.iter().chain(&taken_back)), Statistics::default());
}

#[test]
fn streaks_are_of_results_in_the_order_of_their_ends() {
    let results = [
        plain(1, "m1 match_won"),
        plain(2, "m2 match_won"),
        plain(3, "m3 match_drawn"),
        plain(4, "m4 match_lost"),
        plain(4, "m5 match_won"),
    ];
    let streaks = record(&results).streaks;
    let (won, lost, unbeaten) =
        (streaks.longest_won, streaks.longest_lost, streaks.longest_unbeaten);
    assert_eq!((won, lost, unbeaten), (2, 1, 3));
    assert_eq!(streaks.current, Some(Run { of: Verdict::Won, length: 1 }));
    // By forfeit it neither ends nor goes on.
    let forfeit = activity(5, "m6 match_lost", |deed| deed.by_forfeit = true);
    let mut more = [&results[..], &[forfeit, plain(6, "m7 match_won")]].concat();
    assert_eq!(record(&more).streaks.current, Some(Run { of: Verdict::Won, length: 2 }));
    // One between them is taken back, and one comes late.
    more.push(reversal(&results[3]));
    more.push(plain(0, "m0 match_won"));
    let streaks = record(&more).streaks;
    assert_eq!((streaks.longest_won, streaks.longest_lost, streaks.longest_unbeaten), (3, 0, 6));
    let key = |second: i64| Key { ended: Timestamp::from_ms(second), match_id: "m".into() };
    let mut streaks = Streaks::default();
    assert_eq!(streaks.push(&key(2), Verdict::Won), Ok(()));
    assert_eq!(streaks.push(&key(2), Verdict::Won), Err(Late));
    assert_eq!(streaks.push(&key(1), Verdict::Won), Err(Late));
    assert_eq!(streaks, Streaks::of([(&key(2), Verdict::Won)]));
}

#[test]
fn head_to_head() {
    let against = |second: i64, told: &str, others: &[&str]| {
        let others = others.iter().map(|other| (*other).to_owned()).collect();
        activity(second, told, |deed| deed.against = others)
    };
    let mut all = vec![
        against(1, "m1 match_won", &["q", "r"]),
        against(2, "m2 match_lost", &["q"]),
        activity(3, "m3 match_won", |deed| {
            deed.against = vec!["q".into()];
            deed.by_forfeit = true;
        }),
    ];
    let versus = record(&all).versus;
    assert_eq!(versus["q"], Versus { won: 1, lost: 1, drawn: 0 });
    assert_eq!(versus["r"], Versus { won: 1, lost: 0, drawn: 0 });
    all.push(reversal(&all[0]));
    assert!(!record(&all).versus.contains_key("r"));
}

prop_compose! {
    fn any_activity()(
        second in 0_i64..4, match_no in 0_u8..4,
        kind in prop::sample::select(vec!["match_played", "match_won", "match_lost", "match_drawn", "ace"]),
        is_team: bool, is_private: bool, by_forfeit in prop::bool::weighted(0.2), other in "[qr]",
    ) -> Activity {
        activity(second, &format!("m{match_no} {kind}"), |deed| {
            (deed.is_team, deed.is_private, deed.by_forfeit) = (is_team, is_private, by_forfeit);
            deed.against = vec![other];
        })
    }
}

proptest! {
    /// Activities and the reversals of some of them, in any order of arrival, even a reversal before what
    /// it takes back: the statistics are those of what is left.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        (all, kept) in vec((any_activity(), any::<bool>()), 0..30).prop_flat_map(|told| {
            let kept: Vec<_> = told.iter().filter(|(_, stays)| *stays).map(|(one, _)| one.clone()).collect();
            let gone = told.iter().filter(|(_, stays)| !stays).map(|(one, _)| reversal(one));
            let all: Vec<_> = told.iter().map(|(one, _)| one.clone()).chain(gone).collect();
            (Just(all).prop_shuffle(), Just(kept))
        }),
    ) {
        prop_assert_eq!(Statistics::of(&all), Statistics::of(&kept));
    }
}
