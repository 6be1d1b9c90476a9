//! What a simulated series must be: repeatable, consistent, and like real ones in the mean.

use std::collections::BTreeMap;

use matchwire_domain::{
    live_match::{
        Games,
        cs::{Event, MapEnded, Side, State, odds},
    },
    timestamp::Timestamp,
};

use super::*;

fn bytes(seed: u64) -> String {
    let base_time = Timestamp::from_ms(1_760_000_000_000);
    let steps = Series::new(seed).steps;
    let lines =
        steps.iter().enumerate().map(|(i, step)| cloud_event_json(step, "demo", i, base_time));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_seed_is_a_series() {
    assert!(bytes(1) == bytes(1));
    assert!(bytes(1) != bytes(2));
}

#[test]
fn the_default_shows_overtime_and_three_maps() {
    let series = Series::new(DEFAULT_SEED);
    assert_eq!(series.maps.len(), 3);
    assert!(series.maps.iter().any(|map| map.rounds.len() > 24));
}

#[test]
fn steps_are_valid_events_of_their_stream() {
    let base_time = Timestamp::from_ms(0);
    for (i, step) in Series::new(DEFAULT_SEED).steps.iter().enumerate() {
        let json = cloud_event_json(step, "m-1", i, base_time);
        let attributes = matchwire_domain::envelope::Attributes::parse(&json).unwrap();
        let mut exchange = |account: &str| {
            assert!(account.starts_with("steam:7656119") && account.len() == 23, "{account}");
            account.to_owned()
        };
        let event = matchwire_domain::vocabulary::admit(
            &Games::default(),
            &attributes,
            &mut exchange,
            &|_, name| name.clone(),
        )
        .unwrap();
        assert_eq!(event.subject.as_str(), format!("match/m-1/{}", step.map));
        assert_eq!(std::str::from_utf8(&event.stored).unwrap(), json);
    }
}

/// What a spectator with a notebook would check.
#[derive(Default)]
struct Notebook {
    health: BTreeMap<String, u16>,
    money: BTreeMap<String, u32>,
    is_planted: bool,
    last_ms: u64,
}

impl Notebook {
    fn alive(&self, player: &str) -> bool {
        self.health.get(player).is_some_and(|health| *health > 0)
    }

    fn note(&mut self, step: &Step) {
        assert!(step.at_ms >= self.last_ms, "time goes back in {step:?}");
        self.last_ms = step.at_ms;
        match &step.event {
            Event::PlayerJoined(joined) => {
                self.health.insert(joined.player.to_string(), 0);
            }
            Event::FreezeStarted(_) => {
                self.health.values_mut().for_each(|health| *health = 100);
                self.is_planted = false;
            }
            Event::MoneyChanged(changed) => {
                assert!(changed.money <= 16_000);
                let before = self.money.insert(changed.player.to_string(), changed.money);
                if changed.item.is_some() {
                    assert!(before.unwrap() > changed.money, "{step:?} costs nothing");
                }
            }
            Event::PlayerHurt(hurt) => {
                assert!(self.alive(&hurt.attacker) && self.alive(&hurt.victim), "{step:?}");
                let before = self.health[hurt.victim.as_str()];
                assert_eq!(hurt.health, before.saturating_sub(hurt.damage), "{step:?}");
                self.health.insert(hurt.victim.to_string(), hurt.health);
            }
            Event::PlayerKilled(killed) => {
                assert!(self.alive(&killed.killer) && !self.alive(&killed.victim), "{step:?}");
            }
            Event::BombPickedUp(taken) => assert!(self.alive(&taken.player), "{step:?}"),
            Event::BombPlanted(planted) => {
                let who = planted.player.as_deref().unwrap();
                assert!(self.alive(who) && !self.is_planted, "{step:?}");
                self.is_planted = true;
            }
            Event::BombDefused(defused) => {
                let who = defused.player.as_deref().unwrap();
                assert!(self.alive(who) && self.is_planted, "{step:?}");
            }
            Event::BombExploded(_) => assert!(self.is_planted, "{step:?}"),
            _ => {}
        }
    }
}

#[test]
fn the_dead_do_nothing_and_nobody_is_in_debt() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut notebook = Notebook::default();
        Series::new(seed).steps.iter().for_each(|step| notebook.note(step));
    }
}

#[test]
fn two_hundred_series_are_like_real_ones() {
    let (mut maps, mut overtimes, mut rounds, mut kills, mut ct_wins) = (0, 0, 0, 0, 0);
    let mut reasons = BTreeMap::new();
    for seed in 0..200 {
        for map in Series::new(seed).maps {
            let [high, low] = [map.score[0].max(map.score[1]), map.score[0].min(map.score[1])];
            let is_regulation = high == 13 && low < 12;
            let is_overtime = high >= 16 && (high - 16) % 3 == 0 && (2..=4).contains(&(high - low));
            assert!(is_regulation || is_overtime, "seed {seed} ends {high}:{low}");
            assert_eq!(usize::from(high + low), map.rounds.len());
            maps += 1;
            overtimes += u32::from(is_overtime);
            rounds += map.rounds.len();
            kills += map.players.values().map(|player| usize::from(player.kills)).sum::<usize>();
            ct_wins += map.rounds.iter().filter(|round| round.side == Side::Ct).count();
            for round in &map.rounds {
                *reasons.entry(format!("{:?}", round.reason)).or_insert(0_usize) += 1;
            }
        }
    }
    let real = |count: usize| f64::from(u32::try_from(count).unwrap());
    let share = |part: usize, of: usize| real(part) / real(of);
    let (kills, ct) = (share(kills, rounds), share(ct_wins, rounds));
    let overtime = f64::from(overtimes) / f64::from(maps);
    println!("{maps} maps, {rounds} rounds, overtime {overtime:.3}, kills {kills:.2}, ct {ct:.3}");
    println!("{reasons:?}");
    assert!((6.0..8.0).contains(&kills), "{kills} kills a round");
    assert!((0.45..0.55).contains(&ct), "CT wins {ct} of the rounds");
    assert!((0.05..0.15).contains(&overtime), "{overtime} of the maps go to overtime");
    for (reason, count) in reasons {
        assert!(share(count, rounds) > 0.01, "{reason} in only {count} of {rounds} rounds");
    }
}

/// The fold comes to the same result as the simulation, which counted for itself.
#[test]
fn a_folded_map_has_the_score_and_kills_of_the_simulation() {
    for seed in [DEFAULT_SEED, 1, 2, 3] {
        let series = Series::new(seed);
        for map in &series.maps {
            println!("seed {seed}, map {}", map.map);
            let mut state = State::new("demo", map.map);
            for (seq, step) in (1..).zip(series.steps.iter().filter(|step| step.map == map.map)) {
                state.course.seq = seq;
                let at_ms = i64::try_from(step.at_ms).unwrap();
                state.apply(&step.event, Timestamp::from_ms(at_ms));
            }
            agree(&state, map, &series.teams);
        }
    }
}

#[track_caller]
fn agree(state: &State, map: &MapResult, teams: &[&str; 2]) {
    let by_name = |name: &str| {
        state.teams.iter().position(|team| team.name.as_deref() == Some(name)).unwrap()
    };
    let place = teams.map(by_name);
    let score = place.map(|team| state.teams[team].score);
    assert_eq!(score, map.score);
    let winner = usize::from(map.score[1] > map.score[0]);
    assert_eq!(state.course.winner, Some(place[winner]));
    assert_eq!(state.map_name.as_deref(), Some(map.map_name));
    assert_eq!(state.course.anomalies, []);
    assert_eq!(state.rounds.len(), map.rounds.len());
    for (ours, folded) in map.rounds.iter().zip(state.rounds.values()) {
        let folded = (folded.winner, folded.side, folded.reason);
        assert_eq!(folded, (place[ours.winner], ours.side, ours.reason));
    }
    assert_eq!(state.players.len(), 10);
    for (account, ours) in &map.players {
        let player = &state.players[account];
        let folded = PlayerResult {
            team: place.iter().position(|team| Some(*team) == player.team).unwrap(),
            kills: player.tally.kills,
            deaths: player.tally.deaths,
            assists: player.tally.assists,
            headshots: player.tally.headshots,
        };
        assert_eq!(folded, *ours, "{account}");
    }
    assert!(odds::predict(state, odds::Model::default()).map[place[winner]] > 0.999);
}

#[test]
fn the_last_word_of_a_map_is_its_score() {
    let series = Series::new(DEFAULT_SEED);
    for map in &series.maps {
        let last = series.steps.iter().rfind(|step| step.map == map.map).unwrap();
        let Event::MapEnded(MapEnded { score, .. }) = &last.event else {
            panic!("{last:?} is not the end")
        };
        let mut told = [score.ct, score.t];
        let mut ours = map.score;
        told.sort_unstable();
        ours.sort_unstable();
        assert_eq!(told, ours);
    }
}
