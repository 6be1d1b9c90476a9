//! From what was told of a match or a tournament to what holds of it now.

use std::collections::BTreeMap;

use super::{Activity, Deed, Deeds, Kind, Model};

/// The activities by which `so_far`, which is all that were made of a source, in any order, come to what
/// `holds`. None, if that is what they come to already. Of those of one key a reversal comes first.
pub fn revise<'a>(
    model: Model,
    id: &str,
    so_far: impl IntoIterator<Item = &'a Activity>,
    holds: Deeds,
) -> Vec<Activity> {
    let mut last: BTreeMap<(&str, &Kind), &Activity> = BTreeMap::new();
    for activity in so_far {
        let latest = last.entry((&activity.player, &activity.kind)).or_insert(activity);
        if latest.revision < activity.revision {
            *latest = activity;
        }
    }
    let mut activities = Vec::new();
    let mut make = |player: &str, kind: &Kind, revision: u32, deed: Deed| {
        let (player, kind, source_id) = (player.to_owned(), kind.clone(), id.to_owned());
        activities.push(Activity { player, source_model: model, source_id, kind, revision, deed });
    };
    for (&(player, kind), latest) in &last {
        let is_stated = !latest.is_reversal();
        let stays = holds.get(&(player.to_owned(), kind.clone())) == Some(&latest.deed);
        if is_stated && !stays {
            make(player, kind, latest.revision.saturating_add(1), latest.deed.clone());
        }
    }
    for ((player, kind), deed) in holds {
        let latest = last.get(&(player.as_str(), &kind));
        let revision = match latest {
            None => 1,
            Some(latest) if latest.is_reversal() => latest.revision.saturating_add(1),
            Some(latest) if latest.deed == deed => continue,
            Some(latest) => latest.revision.saturating_add(2),
        };
        make(&player, &kind, revision, deed);
    }
    activities
}
