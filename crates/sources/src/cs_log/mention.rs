//! How a line names a person: `"name<7><STEAM_1:0:42><CT>"`.
//!
//! The server escapes nothing, so a name may hold quotes, angle brackets or a whole forged tag.
//! [`candidates`] gives every way to read the person; the caller takes the first, from the left,
//! with which the rest of the line makes sense.

use matchwire_domain::live_match::cs::{Role, Side};

/// The longest name, in bytes; the game allows 127.
const MAX_NAME_BYTES: usize = 128;
/// How many ways to read one person are tried.
const MAX_CANDIDATES: usize = 16;
/// What the individual account number of Steam is added to, to make a 64-bit id (universe public,
/// type individual, instance desktop).
const STEAM_ID_64_BASE: u64 = 76_561_197_960_265_728;

/// A person as a line names one.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// `steam:7656…`, `bot:Name` or `lan:Name`.
    pub(super) account: String,
    /// As shown in the game.
    pub(super) name: String,
    /// What the last bracket says.
    pub(super) place: Place,
}

/// Where a person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The line does not say.
    Untold,
    /// On no side: just connected, or moved off.
    Unassigned,
    /// Watching.
    Spectator,
    /// On a side.
    On(Side),
}

impl Place {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Untold),
            "Unassigned" => Some(Self::Unassigned),
            "Spectator" => Some(Self::Spectator),
            "CT" => Some(Self::On(Side::Ct)),
            "TERRORIST" | "T" => Some(Self::On(Side::T)),
            _ => None,
        }
    }

    pub(super) fn side(self) -> Option<Side> {
        if let Self::On(side) = self { Some(side) } else { None }
    }

    pub(super) fn role(self) -> Role {
        if self == Self::Spectator { Role::Spectator } else { Role::Player }
    }
}

/// Every way to read a person at the start of a text, shortest name first, each with what follows.
pub(super) fn candidates(text: &str) -> impl Iterator<Item = (Mention, &str)> {
    let body = text.strip_prefix('"').unwrap_or_default();
    let ends = body.match_indices('<').map(|(i, _)| i).take_while(|i| *i <= MAX_NAME_BYTES);
    ends.filter_map(move |end| {
        let (name, tag) = body.split_at_checked(end)?;
        let (mention, rest) = tagged(name, tag)?;
        Some((mention, rest))
    })
    .take(MAX_CANDIDATES)
}

/// Reads `<7><account><side>"` or `<7><account>"` after a name.
fn tagged<'a>(name: &str, tag: &'a str) -> Option<(Mention, &'a str)> {
    let (user_id, rest) = bracket(tag)?;
    if user_id.is_empty() || !user_id.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (account, rest) = bracket(rest)?;
    let (place, rest) = match bracket(rest) {
        Some((place, rest)) => (Place::parse(place)?, rest),
        None => (Place::Untold, rest),
    };
    let rest = rest.strip_prefix('"')?;
    let account = self::account(account, name)?;
    Some((Mention { account, name: name.into(), place }, rest))
}

fn bracket(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('<')?.split_once('>')
}

/// The account behind a Steam2 id (`STEAM_1:0:42`), a Steam3 id (`[U:1:84]`), a bot, or a player
/// of a server without Steam.
fn account(text: &str, name: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("STEAM_")
        && let Some((_, numbers)) = rest.split_once(':')
    {
        let (low, high) = numbers.split_once(':')?;
        let (low, high): (u64, u64) = (digits(low)?, digits(high)?);
        return (low <= 1 && u32::try_from(high).is_ok()).then(|| steam(high * 2 + low));
    }
    if let Some(number) = text.strip_prefix("[U:1:").and_then(|rest| rest.strip_suffix(']')) {
        return digits(number).filter(|n| u32::try_from(*n).is_ok()).map(steam);
    }
    match text {
        "BOT" => Some(format!("bot:{name}")),
        "STEAM_ID_LAN" => Some(format!("lan:{name}")),
        _ => None,
    }
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The account of an individual Steam number.
pub(super) fn steam(number: u64) -> String {
    format!("steam:{}", STEAM_ID_64_BASE + number)
}

impl Mention {
    /// Whether the person is a bot of the server.
    pub(super) fn is_bot(&self) -> bool {
        self.account.starts_with("bot:")
    }
}
