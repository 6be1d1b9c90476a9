//! What ratings come to, in whatever order results arrive.

use std::collections::BTreeMap;

use matchwire_domain::{
    outcome::{Ending, Feats, Outcome, Side},
    timestamp::Timestamp,
};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::Key;

fn bout(second: i64, match_id: &str, sides: [&str; 2], winner: Option<usize>) -> Bout {
    let key = Key { ended: Timestamp::from_ms(second * 1_000), match_id: match_id.into() };
    let sides = sides.map(|side| side.split(' ').map(ToOwned::to_owned).collect());
    Bout { key, sides, winner }
}

fn close(ours: f64, published: f64, within: f64) {
    assert!((ours - published).abs() <= within, "{ours} is not {published}");
}

#[test]
fn glicko_2_as_its_calculators_have_it() {
    let ratings = Ratings::of(System::Glicko2, [bout(1, "m", ["a", "b"], Some(0))]);
    // Two who are new: 1662 and 1338, each 290 (glicko2-calculator, and the crate's own example).
    close(ratings.get("a").unwrap().rating, 1662.0, 0.5);
    close(ratings.get("b").unwrap().rating, 1338.0, 0.5);
    close(ratings.get("a").unwrap().deviation, 290.0, 0.5);
    close(ratings.get("a").unwrap().volatility, 0.059_999_675, 1e-9);
    let drawn = Ratings::of(System::Glicko2, [bout(1, "m", ["a", "b"], None)]);
    close(drawn.get("a").unwrap().rating, 1500.0, 1e-9);
}

#[test]
fn openskill_as_weng_and_lin_have_it() {
    // Two who are new, by the Bradley-Terry model: mu 27.63 and 22.37, sigma 8.07.
    let ratings = Ratings::of(System::OpenSkill, [bout(1, "m", ["a", "b"], Some(1))]);
    close(ratings.get("b").unwrap().rating, 27.635, 0.001);
    close(ratings.get("a").unwrap().rating, 22.365, 0.001);
    close(ratings.get("a").unwrap().deviation, 8.066, 0.001);
}

#[test]
fn members_of_a_team_rise_and_fall_together() {
    for system in System::SERVED {
        let ratings = Ratings::of(system, [bout(1, "m", ["a b", "c d"], Some(0))]);
        let [a, b, c] = ["a", "b", "c"].map(|who| *ratings.get(who).unwrap());
        assert_eq!(a, b);
        assert!(a.rating > system.start().rating && c.rating < system.start().rating);
        assert!(a.deviation < system.start().deviation);
        assert!(a.floor(system) > c.floor(system) && a.floor(system) < a.rating);
        // Whose rating was certain before moves less.
        let mut many: Vec<Bout> = (0..20)
            .map(|match_no| bout(match_no, &format!("m{match_no}"), ["a", "x"], None))
            .collect();
        many.push(bout(99, "m", ["a b", "c d"], Some(0)));
        let ratings = Ratings::of(system, many);
        let [a, b] = ["a", "b"].map(|who| ratings.get(who).unwrap().rating);
        assert!(a < b, "{system:?}: {a} {b}");
    }
}

#[test]
fn results_are_rated_in_the_order_in_which_matches_ended() {
    let bouts = [
        bout(1, "m1", ["a", "b"], Some(0)),
        bout(2, "m2", ["b", "c"], Some(0)),
        bout(2, "m3", ["c", "a"], None),
    ];
    for system in System::ALL {
        let in_order = Ratings::of(system, bouts.clone());
        let mut late = Ratings::new(system);
        for bout in bouts.iter().rev() {
            late.set(&bout.key.match_id, Some(bout.clone()));
        }
        assert_eq!(late, in_order);
        let course: Vec<_> =
            in_order.course_of("b").map(|(key, _)| key.match_id.as_str()).collect();
        assert_eq!(course, ["m1", "m2"]);
        assert_eq!(in_order.course_of("b").last().unwrap().1, in_order.get("b").unwrap());
        late.set("m1", None);
        assert_eq!(late, Ratings::of(system, bouts[1..].to_vec()));
        assert!(late.get("d").is_none() && in_order.iter().count() == 3);
    }
}

#[test]
fn numbers_are_rounded_so_that_platforms_agree() {
    for system in System::ALL {
        let winners = [None, Some(0), Some(1)].into_iter().cycle();
        let bouts = (0..50)
            .zip(winners)
            .map(|(match_no, winner)| bout(match_no, &format!("m{match_no}"), ["a", "b"], winner));
        for (_, rating) in Ratings::of(system, bouts).iter() {
            for (number, steps) in
                [(rating.rating, 1e6), (rating.deviation, 1e6), (rating.volatility, 1e9)]
            {
                close((number * steps).round() / steps, number, 0.0);
            }
        }
    }
}

#[test]
fn elo_as_its_authors_have_it() {
    let ratings = Ratings::of(System::Elo, [bout(1, "m", ["a", "b"], Some(0))]);
    close(ratings.get("a").unwrap().rating, 1016.0, 1e-9);
    close(ratings.get("b").unwrap().rating, 984.0, 1e-9);
    close(System::Elo.start().floor(System::Elo), 1000.0, 0.0);
}

#[test]
fn ratings_come_back_from_their_steps_exactly() {
    for system in System::ALL {
        let winners = [Some(0), None, Some(1)].into_iter().cycle();
        let bouts = (0..100)
            .zip(winners)
            .map(|(no, winner)| bout(no, &format!("m{no}"), ["a b", "c d"], winner));
        for (_, rating) in Ratings::of(system, bouts).iter() {
            assert_eq!(Rating::from_steps(rating.to_steps()), *rating);
        }
    }
}

#[test]
fn a_replay_comes_to_the_same_ratings_and_tells_how_they_foresaw() {
    for system in System::ALL {
        // The first always beats the second, who always beats the third.
        let pairs = [["a", "b"], ["b", "c"], ["a", "c"]];
        let bouts: Vec<Bout> = (0..60)
            .zip(pairs.into_iter().cycle())
            .map(|(no, pair)| bout(no, &format!("m{no:02}"), pair, Some(0)))
            .collect();
        let replay = Replay::of(system.into(), bouts.iter().rev().cloned().collect());
        let truth = Ratings::of(system, bouts);
        let now: Vec<_> =
            replay.now.iter().map(|(who, (rating, _))| (who.as_str(), rating)).collect();
        assert_eq!(now, truth.iter().collect::<Vec<_>>());
        assert!(replay.now.values().all(|(_, bouts)| *bouts == 40));
        assert_eq!((replay.all.bouts, replay.known.bouts, replay.all.drawn), (60, 58, 0));
        let (all, known) = (replay.all, replay.known);
        assert!(known.accuracy.unwrap() > all.accuracy.unwrap() && all.accuracy.unwrap() > 0.9);
        assert!(known.log_loss.unwrap() < all.log_loss.unwrap() && all.log_loss.unwrap() < 0.6);
        assert!(all.brier.unwrap() < 0.25, "{system} {all:?}");
    }
    // Between two of whom nothing is known it is a coin.
    let coin = Replay::of(System::Glicko2.into(), vec![bout(1, "m", ["a", "b"], Some(1))]).all;
    assert_eq!((coin.accuracy, coin.brier), (Some(0.5), Some(0.25)));
    close(coin.log_loss.unwrap(), std::f64::consts::LN_2, 1e-9);
    let none = Replay::of(System::Elo.into(), Vec::new());
    assert_eq!((none.all.accuracy, none.all.log_loss), (None, None));
}

#[test]
fn parameters_are_those_of_the_system() {
    let glicko = Formula::from(System::Glicko2);
    let tried =
        glicko.with(Parameter::Tau, 1.2).unwrap().with(Parameter::Deviation, 200.0).unwrap();
    let all: Vec<_> = tried.parameters().collect();
    assert_eq!(all, [(Parameter::Tau, 1.2), (Parameter::Deviation, 200.0)]);
    let told = |formula: Formula, parameter, value| {
        formula.with(parameter, value).unwrap_err().to_string()
    };
    assert_eq!(
        told(glicko, Parameter::Beta, 1.0),
        "glicko-2 has no beta; it has tau and deviation"
    );
    assert_eq!(told(glicko, Parameter::Tau, 9.0), "tau of glicko-2 must be from 0.01 to 5, not 9");
    assert!(glicko.with(Parameter::Tau, f64::NAN).is_err());
    assert_eq!("glicko2".parse(), Ok(System::Glicko2));
    assert_eq!(
        "trueskill".parse::<System>().unwrap_err().to_string(),
        "there is no rating system \"trueskill\"; there are glicko-2, openskill and elo"
    );
    // Another parameter gives another rating.
    let won = [bout(1, "m", ["a", "b"], Some(0))];
    let k = Formula::from(System::Elo).with(Parameter::K, 10.0).unwrap();
    close(Ratings::of(k, won.clone()).get("a").unwrap().rating, 1005.0, 1e-9);
    let beta = Formula::from(System::OpenSkill).with(Parameter::Beta, 20.0).unwrap();
    assert_ne!(Ratings::of(beta, won.clone()), Ratings::of(System::OpenSkill, won));
}

fn outcome(endings: [Ending; 2]) -> Outcome {
    let side = |(player, ending): (&str, Ending)| Side {
        team: Some(format!("team-{player}")),
        ending,
        has_played: true,
        members: BTreeMap::from([(player.to_owned(), Feats::new())]),
    };
    let [first, second] = endings;
    Outcome {
        match_id: "m".into(),
        game: "cs2".into(),
        tournament: None,
        season: None,
        is_private: false,
        ended: Timestamp::from_ms(0),
        is_team: true,
        sides: [side(("a", first)), side(("b", second))],
    }
}

#[test]
fn only_what_play_decided_is_rated() {
    use Ending::{
        Abandoned, Bye, Cancelled, Disqualified, Drawn, Lost, LostByForfeit, NoShow, Won,
        WonByForfeit,
    };
    let won = Bout::of(&outcome([Lost, Won]), Rated::Teams).unwrap();
    assert_eq!((won.winner, won.sides), (Some(1), [vec!["team-a".into()], vec!["team-b".into()]]));
    let drawn = Bout::of(&outcome([Drawn, Drawn]), Rated::Players).unwrap();
    assert_eq!((drawn.winner, drawn.sides), (None, [vec!["a".into()], vec!["b".into()]]));
    for endings in [
        [WonByForfeit, LostByForfeit],
        [Disqualified, WonByForfeit],
        [WonByForfeit, NoShow],
        [Bye, Bye],
        [Cancelled, Cancelled],
        [Abandoned, Abandoned],
    ] {
        assert_eq!(Bout::of(&outcome(endings), Rated::Players), None, "{endings:?}");
    }
    // Nor anything of a private tournament, whose matches everybody's rating would tell of.
    let private = Outcome { is_private: true, ..outcome([Won, Lost]) };
    assert_eq!(Bout::of(&private, Rated::Players), None);
    let mut nobody = outcome([Won, Lost]);
    nobody.sides[1].members.clear();
    nobody.sides[1].team = nobody.sides[0].team.clone();
    assert_eq!(Bout::of(&nobody, Rated::Players), None);
    assert_eq!(Bout::of(&nobody, Rated::Teams), None);
}

prop_compose! {
    /// What is told of one of five matches: when it ended, who played, who won; or that it was none.
    fn told()(
        match_no in 0_u8..5, second in 0_i64..6, order in Just(["a", "b", "c", "d"]).prop_shuffle(),
        is_team: bool, winner in prop::option::of(0_usize..2), is_none in prop::bool::weighted(0.2),
    ) -> (String, Option<Bout>) {
        let [a, b, c, d] = order;
        let sides = if is_team { [format!("{a} {b}"), format!("{c} {d}")] } else { [a.into(), b.into()] };
        let id = format!("m{match_no}");
        let own = bout(second, &id, sides.each_ref().map(String::as_str), winner);
        (id, (!is_none).then_some(own))
    }
}

proptest! {
    /// However results are told, late, corrected and taken back: the ratings are those of the last ones.
    #[test]
    fn ratings_are_those_of_the_last_word(story in vec(told(), 1..40)) {
        for system in System::ALL {
            let mut ratings = Ratings::new(system);
            let mut last: BTreeMap<&String, &Option<Bout>> = BTreeMap::new();
            for (match_id, told) in &story {
                ratings.set(match_id, told.clone());
                last.insert(match_id, told);
            }
            let truth = Ratings::of(system, last.into_values().flatten().cloned());
            prop_assert_eq!(ratings, truth);
        }
    }
}
