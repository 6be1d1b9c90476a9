//! An event of StatsBomb's as events of ours.

use matchwire_domain::live_match::{
    Label, PersonName, Player, TeamIndex,
    football::{
        BodyPart, Card, CardShown, Clock, Event, GoalAssisted, GoalScored, Lineup, LineupPlayer,
        LineupTold, PenaltyMissed, Period, PeriodEnded, PeriodStarted, PlayerLeft, PlayerReturned,
        PlayerSubstituted, ShootoutKicked, ShotOutcome, ShotTaken, Xg,
    },
};

use super::raw::{Event as Raw, Member, Named, Row, Shot, Squad};

/// What an event is about: the team, the player and the moment, as far as it says.
struct Scene<'a> {
    raw: &'a Raw,
    team: TeamIndex,
    player: Option<Player>,
    clock: Option<Clock>,
    period: Option<Period>,
}

/// What an event tells but for possession, each with a word for its place among them; nothing, if it
/// tells nothing we know.
pub(super) fn facts(
    raw: &Raw,
    team: TeamIndex,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Vec<(&'static str, Event)> {
    let player = raw.player.as_ref().and_then(|player| person(player, exchange));
    let (clock, period) = (raw.clock(), raw.period());
    let scene = Scene { raw, team, player, clock, period };
    let one = |event: Option<Event>| event.map(|event| ("", event)).into_iter().collect();
    match raw.kind.name() {
        "Starting XI" => one(line_up(&scene, Some(true), exchange)),
        "Tactical Shift" => one(line_up(&scene, None, exchange)),
        "Half Start" => one(period.map(|period| PeriodStarted { period }.into())),
        "Half End" => one(period.map(|period| {
            let elapsed_ms = clock.map(|clock| clock.elapsed_ms);
            PeriodEnded { period, elapsed_ms, score: None }.into()
        })),
        "Shot" => one(shot(&scene)),
        "Own Goal Against" => one(Some(own_goal(&scene, other(team)))),
        "Own Goal For" => one(Some(own_goal(&scene, team))),
        "Pass" => one(assist(&scene)),
        "Foul Committed" | "Bad Behaviour" => one(card(&scene)),
        "Substitution" => substitution(&scene, exchange),
        "Player Off" => one(scene.player.map(|player| PlayerLeft { team, player, clock }.into())),
        "Player On" => {
            one(scene.player.map(|player| PlayerReturned { team, player, clock }.into()))
        }
        _ => Vec::new(),
    }
}

/// A person by StatsBomb's id.
fn person(named: &Named, exchange: &mut dyn FnMut(&str) -> String) -> Option<Player> {
    Some(account(named.id?, exchange))
}

fn account(id: u64, exchange: &mut dyn FnMut(&str) -> String) -> Player {
    Player::new(&exchange(&format!("statsbomb:{id}")))
}

fn other(team: TeamIndex) -> TeamIndex {
    match team {
        TeamIndex::First => TeamIndex::Second,
        TeamIndex::Second => TeamIndex::First,
    }
}

/// A line-up, or a change of positions in it.
fn line_up(
    scene: &Scene<'_>,
    starts: Option<bool>,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Option<Event> {
    let tactics = scene.raw.tactics.as_ref()?;
    let mut row = |row: &Row| {
        Some(LineupPlayer {
            player: person(&row.player, exchange)?,
            name: row.player.name.as_deref().map(PersonName::cut),
            number: row.jersey_number,
            position: row.position.as_ref().and_then(|at| at.name.as_deref()).map(Label::cut),
            starts,
        })
    };
    let players = tactics.lineup.iter().flatten().filter_map(&mut row).collect();
    let name = scene.raw.team.as_ref().and_then(|team| team.name.as_deref());
    Some(
        LineupTold {
            team: scene.team,
            name: name.map(Label::cut),
            formation: tactics.formation.map(formation),
            expected_goals: None,
            players: Some(Lineup::cut(players)),
        }
        .into(),
    )
}

/// 41221 as 4-1-2-2-1.
fn formation(digits: u64) -> Label {
    let lines: Vec<String> = digits.to_string().chars().map(String::from).collect();
    Label::cut(&lines.join("-"))
}

/// A squad of a line-up file. Who starts is told by the events.
pub(super) fn squad(
    squad: &Squad,
    team: TeamIndex,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Event {
    let mut member = |member: &Member| LineupPlayer {
        player: account(member.player_id, exchange),
        name: member.player_name.as_deref().map(PersonName::cut),
        number: member.jersey_number,
        position: None,
        starts: None,
    };
    let players = squad.lineup.iter().map(&mut member).collect();
    let name = squad.team_name.as_deref().map(Label::cut);
    LineupTold {
        team,
        name,
        formation: None,
        expected_goals: None,
        players: Some(Lineup::cut(players)),
    }
    .into()
}

fn shot(scene: &Scene<'_>) -> Option<Event> {
    let Scene { raw, team, clock, .. } = scene;
    let (team, clock, player) = (*team, *clock, scene.player.clone());
    let shot = raw.shot.as_ref()?;
    let outcome = shot.outcome.as_ref().map_or("", Named::name);
    let penalty = shot.kind.as_ref().is_some_and(|kind| kind.name() == "Penalty");
    if scene.period == Some(Period::ShootOut) {
        return Some(ShootoutKicked { team, player, scored: outcome == "Goal" }.into());
    }
    let xg = shot.statsbomb_xg.and_then(|xg| Xg::try_from(xg).ok());
    let body_part = body_part(shot);
    if outcome == "Goal" {
        let goal = Some(Label::cut(&raw.id));
        let (scorer, assist, own_goal) = (player, None, false);
        return Some(
            GoalScored { team, goal, scorer, assist, own_goal, penalty, body_part, xg, clock }
                .into(),
        );
    }
    let outcome = match outcome {
        "Saved" => ShotOutcome::Saved,
        "Saved to Post" | "Saved To Post" => ShotOutcome::SavedToPost,
        "Saved Off Target" | "Saved Off T" => ShotOutcome::SavedOffTarget,
        "Post" => ShotOutcome::Woodwork,
        "Blocked" => ShotOutcome::Blocked,
        "Off T" | "Wayward" => ShotOutcome::OffTarget,
        _ => return None,
    };
    Some(if penalty {
        PenaltyMissed { team, player, outcome, xg, clock }.into()
    } else {
        ShotTaken { team, player, outcome, body_part, xg, clock }.into()
    })
}

fn body_part(shot: &Shot) -> Option<BodyPart> {
    match shot.body_part.as_ref()?.name() {
        "Left Foot" => Some(BodyPart::LeftFoot),
        "Right Foot" => Some(BodyPart::RightFoot),
        "Head" => Some(BodyPart::Head),
        "" => None,
        _ => Some(BodyPart::Other),
    }
}

/// An own goal is told twice, of the team that conceded it, with the player, and of the one that it
/// counts for: both have the moment, which is the goal's name.
fn own_goal(scene: &Scene<'_>, team: TeamIndex) -> Event {
    let Raw { id, period, timestamp, .. } = scene.raw;
    let goal = match (period, timestamp) {
        (Some(period), Some(timestamp)) => format!("own goal {period} {timestamp}"),
        _ => id.clone(),
    };
    // The team that it counts for may name a player of its own; that is not who scored.
    let scorer = scene.player.clone().filter(|_| team != scene.team);
    GoalScored {
        team,
        goal: Some(Label::cut(&goal)),
        scorer,
        assist: None,
        own_goal: true,
        penalty: false,
        body_part: None,
        xg: None,
        clock: scene.clock,
    }
    .into()
}

fn assist(scene: &Scene<'_>) -> Option<Event> {
    let pass = scene.raw.pass.as_ref().filter(|pass| pass.goal_assist == Some(true))?;
    let goal = Label::cut(pass.assisted_shot_id.as_deref()?);
    Some(GoalAssisted { goal, player: scene.player.clone()? }.into())
}

fn card(scene: &Scene<'_>) -> Option<Event> {
    let told = scene.raw.foul_committed.as_ref().and_then(|foul| foul.card.as_ref());
    let told = told.or(scene.raw.bad_behaviour.as_ref().and_then(|bad| bad.card.as_ref()))?;
    let card = match told.name() {
        "Yellow Card" => Card::Yellow,
        "Second Yellow" => Card::SecondYellow,
        "Red Card" => Card::Red,
        _ => return None,
    };
    let (team, player, clock) = (scene.team, scene.player.clone(), scene.clock);
    Some(CardShown { team, player, card, clock }.into())
}

/// Who comes on is introduced first.
fn substitution(
    scene: &Scene<'_>,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Vec<(&'static str, Event)> {
    let told = scene.raw.substitution.as_ref();
    let Some((told, off)) = told.zip(scene.player.clone()) else { return Vec::new() };
    let Some(replacement) = &told.replacement else { return Vec::new() };
    let Some(on) = person(replacement, exchange) else { return Vec::new() };
    let (team, clock) = (scene.team, scene.clock);
    let row = LineupPlayer {
        player: on.clone(),
        name: replacement.name.as_deref().map(PersonName::cut),
        number: None,
        position: None,
        starts: Some(false),
    };
    let (name, formation, expected_goals) = (None, None, None);
    let players = Some(Lineup::cut(vec![row]));
    let introduced = LineupTold { team, name, formation, expected_goals, players };
    let reason = told.outcome.as_ref().and_then(|why| why.name.as_deref()).map(Label::cut);
    let substituted = PlayerSubstituted { team, off, on, reason, clock };
    vec![("lineup", introduced.into()), ("", substituted.into())]
}
