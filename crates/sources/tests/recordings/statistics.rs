//! Statistics of real matches, worked out a second time: for every round by a plain reading of the log's
//! lines ([`oracle`]), which shares nothing with the reader and the fold, and for some rounds by hand.

mod oracle;

use std::collections::BTreeMap;

use matchwire_domain::{
    live_match::{
        Games,
        cs::{Buy, Round, Side, State, Tally},
    },
    subject::Subject,
    timeline::{Fold, Pushed},
};
use matchwire_sources::{Headers, cs_log::CsLog};
use oracle::{Deeds, Read};

use crate::{recording, server::Server};

const LOGS: [&str; 3] =
    ["navi-vitality-nuke-2021-11-28.log", "lan-2018-map1-overpass.log", "lan-2018-map2-train.log"];

/// A round as the fold has it, and what each player did in it, by account.
struct Folded {
    round: Round,
    deeds: BTreeMap<String, Deeds>,
}

/// Every round of a log as it is folded: the tallies before the next one, less those before it.
fn folded(log: &[u8]) -> Vec<Folded> {
    let mut server = Server::new(CsLog);
    server.post(Some(1), &Headers::new(), log);
    let accounts: BTreeMap<String, String> =
        server.accounts.iter().map(|(account, id)| (id.clone(), account.clone())).collect();
    let subject = Subject::match_map("m", 1).unwrap();
    let (mut fold, mut rounds) = (Fold::new(&Games::default(), &subject), Vec::new());
    let mut before: BTreeMap<String, Tally> = BTreeMap::new();
    for record in &server.streams[&subject] {
        let stored = String::from_utf8_lossy(&record.stored).into_owned();
        let is_next = ["freeze.started", "map.ended", "match.started"]
            .iter()
            .any(|tag| stored.contains(&format!("\"type\":\"{tag}\"")));
        let state: &State = fold.state().unwrap();
        if stored.contains("\"type\":\"match.started\"") {
            (rounds, before) = (Vec::new(), BTreeMap::new());
        } else if is_next && state.rounds.len() > rounds.len() {
            let now: BTreeMap<String, Tally> =
                state.players.iter().map(|(id, player)| (id.clone(), player.tally)).collect();
            let none = Tally::default();
            let deeds = now.iter().map(|(id, tally)| {
                (accounts[id].clone(), Deeds::between(before.get(id).unwrap_or(&none), tally))
            });
            let deeds = deeds.filter(|(_, deeds)| deeds.rounds > 0).collect();
            rounds.push(Folded { round: state.rounds.values().last().unwrap().clone(), deeds });
            before = now;
        }
        if stored.contains("\"type\":\"map.ended\"") {
            break;
        }
        assert!(fold.push(record) != Pushed::Refold, "a log in order is folded in order");
    }
    rounds
}

#[test]
fn every_round_is_what_its_lines_say() {
    for name in LOGS {
        let Some(log) = recording(&format!("cs-server-logs/{name}")) else { continue };
        let (told, ours) = (oracle::read(&log), folded(&log));
        assert_eq!(told.len(), ours.len(), "{name}");
        for (number, (told, ours)) in (1..).zip(told.iter().zip(&ours)) {
            assert_eq!(told.deeds.len(), 10, "{name}, round {number}");
            for (place, (account, deeds)) in told.deeds.iter().enumerate() {
                let player = ours.deeds.get(account).copied().unwrap_or_default();
                assert_eq!(player, *deeds, "{name}, round {number}, player {place}");
            }
            let clutches: Vec<_> =
                ours.round.clutches.iter().map(|it| (it.against, it.won)).collect();
            assert_eq!(clutches, told.clutches, "{name}, round {number}");
            assert_eq!(carried(&ours.round), told.carried, "{name}, round {number}");
        }
    }
}

/// What the sides carried, CT and T, in dollars.
fn carried(round: &Round) -> [u32; 2] {
    let economy = round.economy.unwrap();
    let of = |side: Side| {
        let winner_is_on_it = round.side == side;
        economy[if winner_is_on_it { round.winner } else { 1 - round.winner }].equipment
    };
    [of(Side::Ct), of(Side::T)]
}

/// A player's round by hand: kills, deaths, assists, damage, damage by utility, trade kills, and whether it
/// counts for KAST.
type ByHand = (u16, u16, u16, u32, u32, u16, bool);

/// A round by hand: the players of each side by the damage they dealt, who was left alone, and what the
/// sides carried.
struct RoundByHand {
    log: &'static str,
    number: usize,
    ct: [ByHand; 5],
    t: [ByHand; 5],
    /// Against how many, and whether they won.
    clutches: &'static [(u16, bool)],
    /// What the counter-terrorists and the terrorists carried, in dollars, and what that is called.
    carried: Option<([u32; 2], [Buy; 2])>,
}

/// Read line by line; opening kills and who avenged whom are compared in the plain reading.
const BY_HAND: [RoundByHand; 6] = [
    RoundByHand {
        log: LOGS[0],
        number: 1,
        ct: [
            (3, 1, 0, 358, 0, 0, true),
            (1, 1, 0, 94, 0, 1, true),
            (0, 0, 0, 23, 0, 0, true),
            (1, 0, 0, 20, 0, 0, true),
            (0, 0, 0, 0, 0, 0, true),
        ],
        t: [
            (1, 1, 0, 228, 0, 1, true),
            (1, 1, 0, 81, 0, 0, true),
            (0, 1, 0, 10, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
        ],
        clutches: &[(4, false)],
        carried: Some(([4_250, 4_250], [Buy::Pistol, Buy::Pistol])),
    },
    RoundByHand {
        log: LOGS[0],
        number: 2,
        ct: [
            (2, 0, 1, 245, 0, 0, true),
            (1, 1, 0, 137, 0, 0, true),
            (1, 0, 0, 53, 0, 0, true),
            (1, 0, 0, 37, 0, 0, true),
            (0, 1, 0, 28, 28, 0, false),
        ],
        t: [
            (2, 1, 0, 247, 0, 1, true),
            (0, 1, 0, 0, 0, 0, true),
            (0, 1, 0, 0, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
        ],
        clutches: &[(3, false)],
        carried: Some(([20_550, 2_200], [Buy::Full, Buy::Eco])),
    },
    RoundByHand {
        log: LOGS[1],
        number: 1,
        ct: [
            (2, 1, 1, 248, 0, 0, true),
            (2, 1, 0, 152, 0, 1, true),
            (1, 0, 0, 76, 0, 1, true),
            (0, 0, 0, 24, 0, 0, true),
            (0, 0, 0, 0, 0, 0, true),
        ],
        t: [
            (1, 1, 1, 141, 0, 1, true),
            (1, 1, 0, 134, 0, 1, true),
            (0, 1, 0, 0, 0, 0, true),
            (0, 1, 0, 0, 0, 0, true),
            (0, 1, 0, 0, 0, 0, false),
        ],
        clutches: &[(4, false)],
        carried: Some(([4_200, 3_950], [Buy::Pistol, Buy::Pistol])),
    },
    // Two players die by the bomb, which goes off when the round is decided.
    RoundByHand {
        log: LOGS[1],
        number: 6,
        ct: [
            (2, 1, 0, 209, 9, 0, true),
            (1, 1, 0, 158, 0, 0, true),
            (0, 1, 0, 0, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
        ],
        t: [
            (1, 1, 1, 166, 40, 1, true),
            (2, 1, 0, 134, 32, 1, true),
            (1, 1, 0, 100, 0, 0, true),
            (0, 0, 0, 0, 0, 0, true),
            (0, 1, 0, 0, 0, 0, false),
        ],
        clutches: &[(2, false)],
        carried: None,
    },
    RoundByHand {
        log: LOGS[2],
        number: 1,
        ct: [
            (2, 0, 0, 225, 0, 0, true),
            (2, 0, 0, 168, 0, 0, true),
            (1, 0, 0, 73, 0, 0, true),
            (0, 0, 0, 27, 0, 0, true),
            (0, 0, 0, 0, 0, 0, true),
        ],
        t: [
            (0, 1, 0, 75, 0, 0, false),
            (0, 1, 0, 8, 0, 0, false),
            (0, 1, 0, 8, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
        ],
        clutches: &[(5, false)],
        carried: Some(([4_300, 4_150], [Buy::Pistol, Buy::Pistol])),
    },
    RoundByHand {
        log: LOGS[2],
        number: 2,
        ct: [
            (2, 1, 0, 262, 7, 1, true),
            (0, 1, 0, 30, 0, 0, true),
            (0, 1, 0, 26, 26, 0, false),
            (0, 1, 0, 14, 0, 0, false),
            (0, 1, 0, 0, 0, 0, false),
        ],
        t: [
            (2, 1, 0, 196, 0, 0, true),
            (2, 0, 0, 168, 0, 1, true),
            (1, 1, 0, 86, 0, 0, true),
            (0, 0, 0, 0, 0, 0, true),
            (0, 0, 0, 0, 0, 0, true),
        ],
        clutches: &[(5, false)],
        carried: Some(([17_850, 7_100], [Buy::SemiBuy, Buy::SemiEco])),
    },
];

#[test]
fn rounds_that_were_worked_out_by_hand() {
    for by_hand in &BY_HAND {
        let Some(log) = recording(&format!("cs-server-logs/{}", by_hand.log)) else { continue };
        let name = format!("{}, round {}", by_hand.log, by_hand.number);
        let Folded { round, deeds } = folded(&log).swap_remove(by_hand.number - 1);
        let Read { sides, .. } = oracle::read(&log).swap_remove(by_hand.number - 1);
        for (side, mut expected) in [("CT", by_hand.ct), ("TERRORIST", by_hand.t)] {
            let own = deeds.iter().filter(|(account, _)| sides[*account] == side);
            let mut ours: Vec<ByHand> = own
                .map(|(_, it)| {
                    let kast = it.kast_rounds == 1;
                    (it.kills, it.deaths, it.assists, it.damage, it.utility_damage, it.trades, kast)
                })
                .collect();
            let by_damage = |a: &ByHand, b: &ByHand| (b.3, b).cmp(&(a.3, a));
            ours.sort_by(by_damage);
            expected.sort_by(by_damage);
            assert_eq!(ours, expected, "{name}, {side}");
        }
        let clutches: Vec<_> = round.clutches.iter().map(|it| (it.against, it.won)).collect();
        assert_eq!(clutches, by_hand.clutches, "{name}");
        let Some((dollars, called)) = by_hand.carried else { continue };
        assert_eq!(carried(&round), dollars, "{name}");
        let [first, second] = round.economy.unwrap().map(|it| it.buy);
        let first_is_ct = (round.side == Side::Ct) == (round.winner == 0);
        assert_eq!(if first_is_ct { [first, second] } else { [second, first] }, called, "{name}");
    }
}
