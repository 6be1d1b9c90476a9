//! Given, when, then: who took part in a tournament, and how it ended for them.

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::*;
use crate::{
    activity::{Activity, Deeds, Kind, Model, revise},
    envelope::Recorded,
    timeline::{Chronicle, Pushed, recorded},
};

fn folded(lines: &[&str]) -> Chronicle<State> {
    Chronicle::of(&recorded("tournament/t", lines))
}

fn told(deeds: &Deeds) -> Vec<String> {
    let tell = |((player, kind), deed): (&(String, Kind), &crate::activity::Deed)| {
        let place = deed.place.map(|place| format!(" {place}")).unwrap_or_default();
        let team = deed.team.as_ref().map(|team| format!(" of {team}")).unwrap_or_default();
        format!("{player}{team} {}{place}", kind.as_str().trim_start_matches("tournament_"))
    };
    deeds.iter().map(tell).collect()
}

const ANNOUNCED: &str =
    r#"- tournament.announced {"name":"Cup","game":"cs2","season":"2026","private":true}"#;
const ENTERED: &str = r#"- tournament.registered {"entrants":[{"team":{"id":"a","name":"A","players":["a1","a2"]}},{"team":{"id":"b","players":["b1"]}},{"player":"p"}]}"#;
const PLACED: &str = r#"- tournament.placed {"placements":[{"entrant":{"team":"a"},"place":1},{"entrant":{"team":"b"},"place":2},{"entrant":{"player":"p"},"place":2}]}"#;
const ENDED: &str = "- tournament.ended";

#[test]
fn who_is_entered_has_joined_and_who_is_placed_has_a_place_when_it_is_over() {
    let open = folded(&[ANNOUNCED, ENTERED, PLACED]);
    assert_eq!(
        told(&open.state.deeds("t")),
        ["a1 of a joined", "a2 of a joined", "b1 of b joined", "p joined"]
    );
    let over = folded(&[ANNOUNCED, ENTERED, PLACED, ENDED]).state;
    let deeds = over.deeds("t");
    let all = [
        "a1 of a joined",
        "a1 of a placed 1",
        "a1 of a won 1",
        "a2 of a joined",
        "a2 of a placed 1",
        "a2 of a won 1",
        "b1 of b joined",
        "b1 of b placed 2",
        "p joined",
        "p placed 2",
    ];
    assert_eq!(told(&deeds), all);
    let won = &deeds[&("a2".to_owned(), Kind::TournamentWon)];
    assert!(won.is_private && won.is_team && won.season.as_deref() == Some("2026"));
    assert_eq!((won.time.ms(), &*won.game), (4_000, "cs2"));
    assert_eq!(deeds[&("p".to_owned(), Kind::TournamentJoined)].time.ms(), 2_000);
}

#[test]
fn who_withdraws_has_not_joined_and_who_is_disqualified_has_no_place() {
    let withdrawn = r#"- tournament.withdrawn {"entrants":[{"team":"b"}]}"#;
    let out = r#"- tournament.disqualified {"entrants":[{"team":"a"}],"reason":"cheating"}"#;
    let deeds = folded(&[ENTERED, withdrawn, out, PLACED, ENDED]).state.deeds("t");
    assert_eq!(told(&deeds), ["a1 of a joined", "a2 of a joined", "p joined", "p placed 2"]);
    let again = folded(&[ENTERED, withdrawn, ENTERED]).state;
    assert_eq!(again.teams["b"].registered.ms(), 3_000);
}

#[test]
fn a_cancelled_tournament_is_nothing_until_it_is_announced_again() {
    let cancelled = "- tournament.cancelled";
    assert!(folded(&[ENTERED, PLACED, ENDED, cancelled]).state.deeds("t").is_empty());
    let again = folded(&[ENTERED, cancelled, ANNOUNCED]).state;
    assert_eq!(again.deeds("t").len(), 4);
    assert_eq!(folded(&[cancelled, ENDED]).state.status, Status::Cancelled);
}

#[test]
fn what_does_not_fit_is_noted_and_kept() {
    let told = folded(&[PLACED, ENDED]);
    let kinds: Vec<_> = told.notes.anomalies.iter().map(|one| (one.seq, one.kind)).collect();
    assert_eq!(kinds, [(1, "not_registered"); 3]);
    assert_eq!(
        told.state.deeds("t").len(),
        2,
        "the player took part; of the teams nobody is known"
    );
    let twice = r#"- tournament.registered {"entrants":[{"player":"a1"}]}"#;
    let last = r#"- tournament.placed {"placements":[{"entrant":{"player":"a1"},"place":9}]}"#;
    let deeds = folded(&[ENTERED, twice, PLACED, last, ENDED]).state.deeds("t");
    assert_eq!(deeds[&("a1".to_owned(), Kind::TournamentPlaced)].place, Some(1), "the better one");
}

#[test]
fn a_state_as_json() {
    let state = serde_json::to_value(folded(&[ANNOUNCED, ENTERED])).unwrap();
    let registered = "1970-01-01T00:00:02.000Z";
    assert_eq!(
        state["teams"]["a"],
        json!({
            "registered": registered, "status": "registered", "name": "A", "members": ["a1", "a2"],
        })
    );
    assert_eq!(state["players"]["p"], json!({"registered": registered, "status": "registered"}));
    let rest = ["seq", "name", "private", "status", "anomalies"].map(|field| &state[field]);
    assert_eq!(rest, [&json!(2), &json!("Cup"), &json!(true), &json!("open"), &json!([])]);
}

#[test]
fn it_is_corrected_and_late_as_a_match_is() {
    let voided = r#"- event.voided {"seq":2}"#;
    assert_eq!(folded(&[ENTERED, ENDED, voided]).state.status, Status::Open);
    let other = r#"{"seq":1,"type":"tournament.announced","data":{"name":"Bowl"}}"#;
    let amended = format!("- event.amended {other}");
    assert_eq!(folded(&[ANNOUNCED, &amended]).state.name.as_deref(), Some("Bowl"));
    let late =
        ["9 tournament.announced {\"name\":\"new\"}", "1 tournament.announced {\"name\":\"old\"}"];
    assert_eq!(folded(&late).state.name.as_deref(), Some("new"));
    let misplaced = folded(&["- event.voided {\"seq\":7}"]);
    assert_eq!(misplaced.notes.anomalies[0].kind, "not_correctable");
}

/// An event of a tournament of three teams, or a correction of one of those before it.
fn any_event(before: u64) -> impl Strategy<Value = String> {
    let team = || prop::sample::select(vec!["a", "b", "c"]);
    let members = vec("[p-t]", 0..3);
    let registered = (team(), members).prop_map(|(team, members)| {
        let entrant = json!({"team": {"id": team, "players": members}});
        format!("tournament.registered {}", json!({"entrants": [entrant]}))
    });
    let placed = (team(), 1_u32..4).prop_map(|(team, place)| {
        let placement = json!({"entrant": {"team": team}, "place": place});
        format!("tournament.placed {}", json!({"placements": [placement]}))
    });
    let left = (team(), any::<bool>()).prop_map(|(team, withdraws)| {
        let tag = if withdraws { "withdrawn" } else { "disqualified" };
        format!("tournament.{tag} {}", json!({"entrants": [{"team": team}]}))
    });
    let other = prop::sample::select(vec![
        "tournament.ended",
        "tournament.cancelled",
        "tournament.announced {\"season\":\"s\"}",
        "tournament.announced {\"private\":true}",
    ]);
    let fact = prop_oneof![registered, placed, left, other.prop_map(ToOwned::to_owned)];
    let correction =
        (1..=before.max(1), fact.clone(), any::<bool>()).prop_map(|(seq, fact, voids)| {
            let (kind, data) = fact.split_once(' ').unwrap_or((&fact, "{}"));
            let data: Value = serde_json::from_str(data).unwrap();
            if voids {
                format!("event.voided {}", json!({"seq": seq}))
            } else {
                format!("event.amended {}", json!({"seq": seq, "type": kind, "data": data}))
            }
        });
    let event = prop_oneof![3 => fact, 1 => correction];
    (prop_oneof![Just("-".to_owned()), "[0-9]"], event)
        .prop_map(|(at, event)| format!("{at} {event}"))
}

proptest! {
    /// After every event the activities are those of the state then; step by step and at once it is the
    /// same state.
    #[test]
    fn activities_follow_whatever_is_corrected(
        lines in vec(0_u64..1, 1..50).prop_flat_map(|steps| {
            (1..).zip(steps).map(|(before, _)| any_event(before)).collect::<Vec<_>>()
        }),
    ) {
        let records: Vec<Recorded> = recorded("tournament/t", &lines);
        let mut all: Vec<Activity> = Vec::new();
        let mut fold = Chronicle::<State>::default();
        for count in 1..=records.len() {
            let whole = Chronicle::of(&records[..count]);
            if fold.push(&records[count - 1]) == Pushed::Refold {
                fold = whole.clone();
            }
            prop_assert_eq!(&fold, &whole);
            all.extend(revise(Model::Tournament, "t", &all, whole.state.deeds("t")));
            let mut standing = all.clone();
            standing.retain(|one| {
                let is_later = |other: &&Activity| (&one.player, &one.kind) == (&other.player, &other.kind) && other.revision > one.revision;
                !one.is_reversal() && !all.iter().any(|other| is_later(&other))
            });
            let standing: Deeds = standing.into_iter().map(|one| ((one.player, one.kind), one.deed)).collect();
            prop_assert_eq!(standing, whole.state.deeds("t"));
        }
    }
}

#[test]
fn a_match_counts_for_the_season_of_its_tournament() {
    let side = || crate::outcome::Side {
        team: None,
        ending: crate::outcome::Ending::Drawn,
        has_played: true,
        members: std::collections::BTreeMap::new(),
    };
    let own = crate::outcome::Outcome {
        match_id: "m".into(),
        game: String::new(),
        tournament: Some("t".into()),
        season: None,
        is_private: false,
        ended: crate::timestamp::Timestamp::from_ms(0),
        is_team: false,
        sides: [side(), side()],
    };
    let within = own.clone().within(&folded(&[ANNOUNCED]).state);
    assert_eq!(
        (&*within.game, within.season.as_deref(), within.is_private),
        ("cs2", Some("2026"), true)
    );
    assert_eq!(within.within(&State::default()).season, None);
}
