//! How an activity is stored: its circumstances, in a row whose key says the rest.

use matchwire_domain::activity::{Activity, Deed, Kind, Model};

use super::keys::{Key, read_number, read_text, text_end};

/// How a match may end for a player.
const RESULTS: [Kind; 3] = [Kind::MatchWon, Kind::MatchLost, Kind::MatchDrawn];

/// The value of an activity's row.
pub(super) fn stored(activity: &Activity) -> Vec<u8> {
    // A struct of texts and numbers.
    serde_json::to_vec(&activity.deed).unwrap_or_default()
}

/// Whether a row may be a result, as far as its key tells.
pub(super) fn is_result(key: &[u8]) -> bool {
    let kind = || {
        let source = behind_text(key)?.get(size_of::<u64>()..)?;
        behind_text(behind_text(source)?)
    };
    let kind = kind().unwrap_or_default();
    RESULTS.iter().any(|result| kind.starts_with(&Key::default().text(result.as_str()).0))
}

fn behind_text(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(text_end(bytes)?..)
}

/// The activity of a row; nothing if the row makes no sense.
pub(super) fn read(key: &[u8], value: &[u8]) -> Option<Activity> {
    let deed: Deed = serde_json::from_slice(value).ok()?;
    let (player, rest) = read_text(key)?;
    let (model, rest) = read_text(rest.get(size_of::<u64>()..)?)?;
    let (source_id, rest) = read_text(rest)?;
    let (kind, rest) = read_text(rest)?;
    let source_model =
        [Model::Match, Model::Tournament].into_iter().find(|it| it.as_str() == model)?;
    let revision = read_number(rest)?.try_into().ok()?;
    Some(Activity { player, source_model, source_id, kind: Kind::from(kind), revision, deed })
}
