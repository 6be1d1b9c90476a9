//! By what statistics are split: a game, a span of it, one against one or teams, and for whose eyes.

use matchwire_domain::activity::Deed;
use serde::{Deserialize, Serialize};

/// Of which activities something is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Split {
    /// The game, empty for those of which nobody told it.
    pub game: String,
    /// Which part of it.
    #[serde(flatten)]
    pub span: Span,
    /// Alone or in teams.
    pub format: Format,
    /// For whose eyes.
    pub reach: Reach,
}

/// A part of all that was played of a game.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "span", content = "of", rename_all = "snake_case")]
pub enum Span {
    /// All of it.
    Always,
    /// What counts for a season.
    Season(String),
    /// What was done in a tournament.
    Tournament(String),
}

/// How many there are on a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One.
    Solo,
    /// A team.
    Team,
    /// Either.
    Both,
}

/// Who is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The player: private tournaments count, too.
    Own,
    /// Others, as far as the player lets them: private tournaments do not count, so that no total gives
    /// them away.
    Others,
}

impl Split {
    /// Everything in which a deed counts, at most 12.
    pub fn all_of(deed: &Deed) -> Vec<Self> {
        let season = deed.season.iter().map(|season| Span::Season(season.clone()));
        let tournament = deed.tournament.iter().map(|name| Span::Tournament(name.clone()));
        let own = if deed.is_team { Format::Team } else { Format::Solo };
        let reaches: &[Reach] =
            if deed.is_private { &[Reach::Own] } else { &[Reach::Own, Reach::Others] };
        let mut splits = Vec::with_capacity(12);
        for span in std::iter::once(Span::Always).chain(season).chain(tournament) {
            for format in [own, Format::Both] {
                for reach in reaches {
                    let (game, span) = (deed.game.clone(), span.clone());
                    splits.push(Self { game, span, format, reach: *reach });
                }
            }
        }
        splits
    }

    /// Whether a deed counts in it.
    pub fn has(&self, deed: &Deed) -> bool {
        let is_in_span = match &self.span {
            Span::Always => true,
            Span::Season(season) => deed.season.as_ref() == Some(season),
            Span::Tournament(name) => deed.tournament.as_ref() == Some(name),
        };
        let is_of_format =
            self.format == Format::Both || (self.format == Format::Team) == deed.is_team;
        let is_for_them = self.reach == Reach::Own || !deed.is_private;
        is_in_span && is_of_format && is_for_them && self.game == deed.game
    }
}
