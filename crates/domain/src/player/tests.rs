//! Given, when, then: what a player has decided.

use serde_json::json;

use super::*;
use crate::timeline::{Chronicle, recorded};

fn folded(lines: &[&str]) -> Chronicle<State> {
    Chronicle::of(&recorded("player/p", lines))
}

const FRIENDED: &str = r#"- player.friended {"player":"q"}"#;

#[test]
fn friends_are_two_who_have_named_each_other() {
    let (one, nobody) = (folded(&[FRIENDED]).state, State::default());
    let other = folded(&[r#"- player.friended {"player":"p"}"#]).state;
    assert!(one.is_friend("p", "q", &other) && other.is_friend("q", "p", &one));
    assert!(!one.is_friend("p", "q", &nobody) && !nobody.is_friend("q", "p", &one));
    let over = folded(&[FRIENDED, r#"- player.unfriended {"player":"q"}"#]).state;
    assert!(!over.is_friend("p", "q", &other));
    let own = folded(&[r#"- player.friended {"player":"p"}"#]).state;
    assert!(!own.is_friend("p", "p", &own));
    let voided = folded(&[FRIENDED, r#"- event.voided {"seq":1}"#]).state;
    assert_eq!(voided, nobody);
}

#[test]
fn consent_is_given_and_withdrawn() {
    let given = r#"- player.consented {"purpose":"news","given":true}"#;
    let withdrawn = given.replace("true", "false");
    assert!(folded(&[given]).state.consents_to("news"));
    let state = folded(&[given, &withdrawn]).state;
    assert!(!state.consents_to("news") && !state.consents_to("other"));
    assert_eq!(state.consents["news"].since.ms(), 2_000);
}

#[test]
fn nobody_sees_anything_unless_the_player_says_so() {
    assert_eq!(State::default().privacy, Privacy::default());
    assert_eq!(State::default().privacy.activity, Visibility::Owner);
    let set = r#"- privacy.set {"activity":"friends","statistics":"public"}"#;
    let state = folded(&[set, r#"- privacy.set {"activity":"public"}"#]);
    let json = serde_json::to_value(&state).unwrap();
    let privacy = json!({"activity": "public", "statistics": "public"});
    assert_eq!((&json["privacy"], &json["seq"]), (&privacy, &json!(2)));
    assert!(Visibility::Owner < Visibility::Friends && Visibility::Friends < Visibility::Public);
}

#[test]
fn everything_is_bounded() {
    let many: Vec<String> = (0..MAX_FRIENDS + 2)
        .map(|friend| format!(r#"- player.friended {{"player":"f{friend}"}}"#))
        .collect();
    let told = Chronicle::<State>::of(&recorded("player/p", &many));
    assert_eq!((told.state.friends.len(), told.notes.anomaly_count), (MAX_FRIENDS, 2));
    let many: Vec<String> = (0..=MAX_PURPOSES)
        .map(|purpose| format!(r#"- player.consented {{"purpose":"c{purpose}","given":true}}"#))
        .collect();
    let told = Chronicle::<State>::of(&recorded("player/p", &many));
    assert_eq!(
        (told.state.consents.len(), told.notes.anomalies[0].kind),
        (MAX_PURPOSES, "too_many_purposes")
    );
}

#[test]
fn that_somebody_was_forgotten_stands_and_no_correction_says_it() {
    let erased = "- player.erased {}";
    for correction in [
        r#"- event.voided {"seq":2}"#,
        r#"- event.amended {"seq":2,"type":"player.friended","data":{"player":"q"}}"#,
    ] {
        let chronicle = folded(&[FRIENDED, erased, correction]);
        assert!(chronicle.state.erased && chronicle.state.friends.is_empty(), "{correction}");
        assert_eq!(chronicle.notes.anomalies[0].kind, "not_correctable");
    }
    let amended = r#"- event.amended {"seq":1,"type":"player.erased","data":{}}"#;
    let chronicle = folded(&[FRIENDED, amended]);
    assert!(!chronicle.state.erased && chronicle.state.friends.len() == 1);
    assert_eq!(chronicle.notes.anomalies[0].kind, "not_correctable");
}
