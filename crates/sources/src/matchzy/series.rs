//! What the plug-ins tell of a match as a whole.

use matchwire_domain::{
    live_match::{Label, PersonName, TeamIndex, cs::Side},
    series::{
        BestOf, LineUp, MapVetoed, MatchScheduled, Member, Name, SeriesEnded, TeamRef, VetoAction,
    },
};
use serde_json::Value;

use super::{
    event::{self, Team, teams},
    reader::Reading,
};

impl Reading<'_> {
    /// A match was loaded on the server: who plays, and how many maps.
    pub(super) fn series_start(&mut self, post: &Value) -> Option<()> {
        let told = teams(post);
        self.learn_teams(&told);
        let length = ["num_maps", "series_length"].iter().find_map(|key| post.get(key));
        let best_of = length.and_then(event::number).and_then(BestOf::new);
        let teams = match told.each_ref().map(|team| self.team(team)) {
            [Some(first), Some(second)] => Some([first, second]),
            _ => None,
        };
        if best_of.is_none() && teams.is_none() {
            return None;
        }
        self.say_of_match(MatchScheduled {
            fills: true,
            game: Name::new("cs2".into()),
            best_of,
            tournament: None,
            stage: None,
            teams,
            starts: None,
            server: None,
        });
        Some(())
    }

    /// A team with its line-up, as far as it is told.
    fn team(&mut self, team: &Team<'_>) -> Option<matchwire_domain::series::Team> {
        let TeamRef { name, id } = team.reference()?;
        let member = |person: event::Person<'_>| Member {
            player: self.player(&person),
            name: Some(PersonName::cut(person.name)),
        };
        let players = LineUp::cut(team.people().map(member).collect());
        Some(matchwire_domain::series::Team { name, id, players })
    }

    /// Notes what the plug-in calls its teams.
    pub(super) fn learn_teams(&mut self, [first, second]: &[Team<'_>; 2]) {
        if let (Some(first), Some(second)) = (first.reference(), second.reference()) {
            self.series.teams = Some([first, second]);
        }
    }

    pub(super) fn series_end(&mut self, post: &Value) -> Option<()> {
        let score = match teams_series_score(post) {
            [Some(first), Some(second)] => Some([first, second]),
            _ => None,
        };
        let told = post.get("winner").map(|winner| winner.get("team").and_then(event::team));
        let winner = told.unwrap_or_else(|| score.and_then(leader));
        if winner.is_none() && score.is_none() {
            return None;
        }
        let teams = self.series.teams.clone();
        self.say_of_match(SeriesEnded { winner, score, teams });
        Some(())
    }

    /// A map was picked, or is left over: then no team picked it.
    pub(super) fn map_picked(&mut self, post: &Value) -> Option<()> {
        let name = map_name(post)?;
        if let Some(number) = post.get("map_number").and_then(event::number) {
            self.series.pick(number, name, event::is_of_get5(post));
        }
        let team = post.get("team").and_then(event::team);
        let action = if team.is_some() { VetoAction::Pick } else { VetoAction::Decider };
        self.veto(action, team, name, None);
        Some(())
    }

    pub(super) fn map_vetoed(&mut self, post: &Value) -> Option<()> {
        let team = post.get("team").and_then(event::team);
        self.veto(VetoAction::Ban, team, map_name(post)?, None);
        Some(())
    }

    pub(super) fn side_picked(&mut self, post: &Value) -> Option<()> {
        let (team, side) = chosen(post)?;
        let name = map_name(post)?;
        self.series.choose_side(name, team, side);
        self.veto(VetoAction::Side, Some(team), name, Some(side));
        Some(())
    }

    /// Whoever won the knife round chose a side. The post does not name the map; where nobody else did,
    /// nothing can be told.
    pub(super) fn knife_won(&mut self, post: &Value) -> Option<()> {
        let (team, side) = chosen(post)?;
        let name = self.series.name_of(self.map)?.to_owned();
        self.series.choose_side(&name, team, side);
        self.veto(VetoAction::Side, Some(team), &name, Some(side));
        Some(())
    }

    fn veto(
        &mut self,
        action: VetoAction,
        team: Option<TeamIndex>,
        map_name: &str,
        side: Option<Side>,
    ) {
        let (map_name, side) = (Label::cut(map_name), side.map(|side| Label::cut(side.name())));
        let teams = self.series.teams.clone();
        self.say_of_match(MapVetoed { action, team, map_name, side, teams });
    }
}

fn map_name(post: &Value) -> Option<&str> {
    post.get("map_name")?.as_str().filter(|name| !name.is_empty())
}

/// A team, and the side that it chose.
fn chosen(post: &Value) -> Option<(TeamIndex, Side)> {
    Some((post.get("team").and_then(event::team)?, post.get("side").and_then(event::side)?))
}

/// How many maps each team won.
fn teams_series_score(post: &Value) -> [Option<u16>; 2] {
    let score = |key: &str| post.get(key).and_then(event::number);
    ["team1_series_score", "team2_series_score"].map(score)
}

/// The team with the higher score.
pub(super) fn leader([first, second]: [u16; 2]) -> Option<TeamIndex> {
    match first.cmp(&second) {
        std::cmp::Ordering::Greater => Some(TeamIndex::First),
        std::cmp::Ordering::Less => Some(TeamIndex::Second),
        std::cmp::Ordering::Equal => None,
    }
}
