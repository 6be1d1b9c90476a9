//! What the club of a series has played before it: duels among its ten players, and matches of its two teams.

use matchwire_domain::timestamp::Timestamp;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng, seq::index};

use crate::{
    roster::{Lobby, Seat, Team},
    wire::SOURCE,
};

/// The tournament that they were.
const TOURNAMENT: &str = "club-night";
/// How many matches. Every fourth is one of the teams.
const MATCHES: u32 = 28;
const TEAM_MATCH_EVERY: u32 = 4;
/// How long one is before the next one, on average.
const BETWEEN_MS: i64 = 36 * 60 * 60 * 1_000;
const MINUTE_MS: i64 = 60_000;
/// By how much skills differ in what comes of a duel.
const STEEPNESS: f64 = 9.0;

/// The club's matches before a moment, as `CloudEvents` in JSON: two for each, in the order in which they ended. The same seed has
/// the players of [`Series::new`](crate::Series::new).
pub fn past_json(seed: u64, now: Timestamp) -> Vec<String> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let lobby = Lobby::new(&mut rng);
    let mut lines = Vec::new();
    for number in 1..=MATCHES {
        let ago =
            i64::from(MATCHES + 1 - number) * BETWEEN_MS - rng.random_range(0..BETWEEN_MS / 2);
        let ended = now.ms().saturating_sub(ago);
        let begun = ended - 40 * MINUTE_MS;
        let is_team = number % TEAM_MATCH_EVERY == 0;
        let sides: [Vec<Seat>; 2] = if is_team {
            Team::BOTH.map(|team| lobby.of(team).collect())
        } else {
            duel(&mut rng, &lobby)
        };
        let skill = |side: &Vec<Seat>| {
            let sum: f64 = side.iter().map(|seat| lobby[*seat].skill).sum();
            sum / if is_team { 5.0 } else { 1.0 }
        };
        let [first, second] = sides.each_ref().map(skill);
        let chance = 1.0 / (1.0 + (-STEEPNESS * (first - second)).exp());
        let winner = usize::from(!rng.random_bool(chance.clamp(0.05, 0.95)));
        let teams = [(0, Team::First), (1, Team::Second)].map(|(index, team)| {
            let side = sides.get(index).map_or(&[][..], Vec::as_slice);
            team_json(&lobby, side, is_team.then(|| lobby.names[team]))
        });
        let subject = format!("match/past-{number:02}");
        let set = format!(
            r#"{{"game":"cs2","tournament":"{TOURNAMENT}","best_of":1,"starts":"{}","teams":[{}]}}"#,
            Timestamp::from_ms(begun),
            teams.join(",")
        );
        let score = if winner == 0 { "[1,0]" } else { "[0,1]" };
        let end = format!(r#"{{"winner":{winner},"score":{score}}}"#);
        lines.push(line(&subject, 1, begun, "match.scheduled", &set));
        lines.push(line(&subject, 2, ended, "series.ended", &end));
    }
    lines
}

fn duel(rng: &mut SmallRng, lobby: &Lobby) -> [Vec<Seat>; 2] {
    let seats: Vec<Seat> = lobby.seats().collect();
    let mut chosen = index::sample(rng, seats.len(), 2).into_iter();
    [(), ()].map(|()| chosen.next().and_then(|seat| seats.get(seat)).copied().into_iter().collect())
}

fn team_json(lobby: &Lobby, side: &[Seat], name: Option<&str>) -> String {
    let player = |seat: &Seat| {
        let fighter = &lobby[*seat];
        format!(r#"{{"player":"{}","name":"{}"}}"#, &*fighter.account, fighter.name.as_str())
    };
    let players: Vec<String> = side.iter().map(player).collect();
    let own = side.first().map(|seat| lobby[*seat].name.as_str().to_owned()).unwrap_or_default();
    // None of these texts needs an escape: names of a list, and accounts.
    let id = name.map(|name| format!(r#""id":"{}","#, name.to_lowercase().replace(' ', "-")));
    format!(
        r#"{{{}"name":"{}","players":[{}]}}"#,
        id.unwrap_or_default(),
        name.unwrap_or(&own),
        players.join(",")
    )
}

fn line(subject: &str, id: u32, time_ms: i64, tag: &str, data: &str) -> String {
    let time = Timestamp::from_ms(time_ms);
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"{SOURCE}","subject":"{subject}","type":"{tag}","time":"{time}","data":{data}}}"#
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use matchwire_domain::{envelope::Attributes, live_match::Games, vocabulary};

    use super::*;

    #[test]
    fn every_event_is_admitted_and_all_ten_have_played() {
        let now = Timestamp::from_ms(1_800_000_000_000);
        for seed in 0..20 {
            let mut players = BTreeSet::new();
            let lines = past_json(seed, now);
            assert_eq!(lines, past_json(seed, now));
            for line in &lines {
                let attributes = Attributes::parse(line).unwrap();
                let mut exchange = |account: &str| {
                    players.insert(account.to_owned());
                    account.to_owned()
                };
                vocabulary::admit(&Games::default(), &attributes, &mut exchange, &|_, name| {
                    name.clone()
                })
                .unwrap();
            }
            assert_eq!((lines.len(), players.len()), (2 * MATCHES as usize, 10));
        }
    }
}
