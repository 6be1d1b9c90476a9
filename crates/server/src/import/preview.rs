//! What an import would be, before anything is sent.

use std::collections::BTreeMap;

use matchwire_domain::{activity::Activity, live_match::Games};
use matchwire_players::preview::activities;
use serde_json::{Value, json};

use super::{counted, grouped, read::History};
use crate::{
    cli::Import,
    terminal::{print, table},
};

/// How many activities are shown.
const SAMPLE: usize = 100;

/// Prints it.
pub(super) fn tell(args: &Import, name: &str, history: &History) -> anyhow::Result<()> {
    let activities = activities(&Games::default(), &history.events);
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for activity in &activities {
        *kinds.entry(activity.kind.to_string()).or_default() += 1;
    }
    let sample = sample(&activities);
    if args.json {
        let (matches, tournaments) = history.counts();
        let files: Vec<Value> = history
            .files
            .iter()
            .map(|(name, bytes)| json!({"name": name, "bytes": bytes}))
            .collect();
        let told = json!({
            "import": name, "content": history.content, "files": files,
            "events": history.events.len(), "matches": matches, "tournaments": tournaments,
            "players": history.accounts.len(), "not_understood": history.unknown_count,
            "first_not_understood": history.unknown, "activities": kinds, "sample": sample,
        });
        return Ok(print(&format!("{told}\n"))?);
    }
    let mut out = history.summary(name);
    out.push_str(&format!(
        "players would have {} of it, if nothing of these matches and tournaments is there yet:\n",
        counted(activities.len() as u64, "activity", "activities")
    ));
    let counts: Vec<[String; 3]> = kinds
        .iter()
        .map(|(kind, count)| [String::new(), kind.clone(), format!("{:>9}", grouped(*count))])
        .collect();
    out.push_str(&table(&counts));
    if !sample.is_empty() {
        out.push_str(&format!("{} of them:\n", grouped(sample.len() as u64)));
        let mut rows =
            vec![["TIME", "PLAYER", "ACTIVITY", "OF", "TEAM", "AGAINST"].map(str::to_owned)];
        rows.extend(sample.iter().map(|activity| row(activity)));
        out.push_str(&table(&rows));
    }
    Ok(print(&out)?)
}

/// Activities from all of them, at equal distances.
fn sample(activities: &[Activity]) -> Vec<&Activity> {
    let count = activities.len().min(SAMPLE);
    let at = |n: usize| activities.get(n * activities.len() / count.max(1));
    (0..count).filter_map(at).collect()
}

fn row(activity: &Activity) -> [String; 6] {
    let deed = &activity.deed;
    let against = match (&deed.against_team, deed.against.as_slice()) {
        (Some(team), _) => team.clone(),
        (None, [one]) => one.clone(),
        (None, []) => "-".into(),
        (None, several) => format!("{} players", several.len()),
    };
    let mut what = activity.kind.to_string();
    if let Some(place) = deed.place {
        what.push_str(&format!(" {place}"));
    }
    let model = activity.source_model.as_str();
    let cells = [
        deed.time.to_string(),
        activity.player.clone(),
        what,
        format!("{model}/{}", activity.source_id),
        deed.team.clone().unwrap_or_else(|| "-".into()),
        against,
    ];
    // What stands in a file must not do anything to a terminal.
    cells.map(|cell| cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use matchwire_domain::{
        activity::{Deed, Kind, Model},
        timestamp::Timestamp,
    };

    use super::*;

    #[test]
    fn a_sample_is_of_all_of_them() {
        let activity = |n: usize| Activity {
            player: n.to_string(),
            source_model: Model::Match,
            source_id: "m".into(),
            kind: Kind::MatchWon,
            revision: 1,
            deed: Deed::at(Timestamp::from_ms(0)),
        };
        for (all, count) in [(0, 0), (7, 7), (100, 100), (1_050, 100)] {
            let activities: Vec<Activity> = (0..all).map(activity).collect();
            let sample = sample(&activities);
            assert_eq!(sample.len(), count);
            let told: std::collections::BTreeSet<&str> =
                sample.iter().map(|activity| &*activity.player).collect();
            assert_eq!(told.len(), count, "each of them once");
            if all > 100 {
                assert!(sample.iter().any(|it| it.player.parse::<usize>().unwrap() > all - 20));
            }
        }
        assert_eq!(row(&activity(1))[2..4], ["match_won", "match/m"]);
    }
}
