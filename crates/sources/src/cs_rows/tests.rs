//! Rows, their columns and the turns between them.

use super::*;

/// Reads rows of these columns, and tells which of them begin with a fresh history.
fn histories(csv: &str) -> Vec<matchwire_domain::live_match::cs::odds::History> {
    let mut lines = csv.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let columns = Columns::of(lines.next().unwrap().into_iter());
    let mut follower = Follower::default();
    lines
        .map(|cells| {
            let cell = |column: usize| cells.get(column).copied();
            let row = columns.read(cell).unwrap();
            *follower.see(&row, columns.map_name(cell))
        })
        .collect()
}

#[test]
fn a_cell_is_a_number_or_nothing() {
    let columns = Columns::of(["time_left", "t_armor", "bomb_planted", "what"].into_iter());
    let read = |cells: [&'static str; 4]| columns.read(|column| cells.get(column).copied());
    let row = read(["12.5", "", " 1 ", "x"]).unwrap();
    assert_eq!((row.moment.left_s, row.moment.planted), (Some(12.5), Some(true)));
    assert_eq!((row.moment.sides[1].armor, row.moment.map), (None, None));
    let error = read(["12.5", "-3", "", ""]).unwrap_err().to_string();
    assert_eq!(error, "column `t_armor` has `-3`, where a number from 0 or nothing belongs");
    assert_eq!(read(["", "", "yes", ""]).unwrap_err().column, "bomb_planted");
    assert!(Columns::of(["what"].into_iter()).are_unknown() && !columns.are_unknown());
}

#[test]
fn weapons_are_told_or_not() {
    let columns = Columns::of(["ct_weapon_ak47", "ct_weapon_awp", "t_weapon_xm1014"].into_iter());
    let row = columns.read(|column| ["2", "1", ""].get(column).copied()).unwrap();
    let weapons = row.moment.sides[0].weapons.unwrap();
    assert_eq!((weapons.rifles, weapons.awps, weapons.value), (2.0, 1.0, 10_150.0));
    assert_eq!(row.moment.sides[1].weapons, None);
}

/// A new match by another map, a lower score, a number; each forgets what was before.
#[test]
fn matches_are_seen_from_the_rows() {
    for rows in [
        "map ct_score t_score ct_money\na 3 4 900\na 3 4 100\nb 3 4 900",
        "map ct_score t_score ct_money\na 3 4 900\na 3 4 100\na 0 0 900",
        "match_no ct_score t_score ct_money\n1 3 4 900\n1 3 4 100\n2 3 4 900",
        "round_no map x ct_money\n7 a 4 900\n7 a 4 100\n1 a 4 900",
    ] {
        let all = histories(rows);
        assert_ne!(all[0], all[1], "{rows}");
        assert_eq!(all[0], all[2], "{rows}");
    }
}

/// A new round by the score, its number, or what only a new round undoes.
#[test]
fn rounds_are_seen_from_the_rows() {
    for rows in [
        "ct_score t_score ct_money\n3 4 900\n3 4 100\n3 5 900",
        "round_no x ct_money\n3 4 900\n3 4 100\n4 5 900",
        "ct_players_alive x ct_money\n5 4 900\n1 4 100\n5 5 900",
        "bomb_planted x ct_money\n0 4 900\n1 4 100\n0 5 900",
        "time_left x ct_money\n175 4 900\n20 4 100\n175 5 900",
    ] {
        let all = histories(rows);
        assert_ne!(all[1], all[2], "{rows}");
        assert_ne!(all[0], all[2], "a round before leaves traces: {rows}");
    }
    // The clock goes up by some seconds while a match is paused, and at the planting.
    let all =
        histories("time_left bomb_planted ct_money\n170 0 900\n175 0 900\n10 0 900\n40 1 900");
    assert!(all.iter().all(|history| *history == all[0]));
}

#[test]
fn sides_change_after_fifteen_rounds() {
    // CT wins its eighth of 15, and is T then.
    let all = histories("ct_score t_score ct_players_alive t_players_alive\n7 7 3 1\n7 8 5 5");
    let mirrored = histories("ct_score t_score ct_players_alive t_players_alive\n7 7 1 3\n8 7 5 5");
    assert_ne!(all[1], mirrored[1]);
    // In the middle of a half the same score would be a win for T.
    let half = histories("ct_score t_score ct_players_alive t_players_alive\n3 3 3 1\n3 4 5 5");
    assert_ne!(all[1], half[1]);
}
