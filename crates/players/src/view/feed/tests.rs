//! Pages of a feed, as the player and others are given them.

use std::{
    cell::Cell,
    hash::{BuildHasher as _, RandomState},
};

use matchwire_domain::activity::Model;
use matchwire_log::view_store::{MemoryViews, Start, ViewStore as _};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng, seq::IndexedRandom as _};

use super::*;
use crate::rights::{Relation, Rights};

const HOUR_MS: i64 = 60 * 60 * 1_000;

fn activity(random: &mut SmallRng, is_private: bool) -> Activity {
    let time = Timestamp::from_ms(random.random_range(0..4 * 24) * HOUR_MS);
    let game = (*["a", "b"].choose(random).unwrap()).into();
    Activity {
        player: "p".into(),
        source_model: Model::Match,
        source_id: format!("m{}", random.random::<u32>()),
        kind: [Kind::MatchWon, Kind::MatchPlayed].choose(random).unwrap().clone(),
        revision: 1,
        deed: Deed {
            is_private,
            game,
            is_team: random.random(),
            by_forfeit: random.random(),
            count: random.random_range(1..3),
            ..Deed::at(time)
        },
    }
}

fn stored(activities: &[Activity]) -> Box<dyn Snapshot> {
    let build = MemoryViews::new().build(&crate::view::schema(), Start::Anew).unwrap();
    let mut rows = build.begin(None).unwrap();
    for activity in activities {
        let key = Key::of_activity(activity);
        rows.put(ACTIVITIES, &key.0, &activities::stored(activity)).unwrap();
    }
    rows.commit("1").unwrap();
    build.snapshot().unwrap()
}

fn page(
    view: &dyn Snapshot,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: usize,
    patience: usize,
) -> (Vec<Activity>, Option<Cursor>) {
    let feed = Feed { patience, ..Feed::new(view, "p", filter, Grain::Day) };
    let page = feed.page(after, limit, |_| Ok::<_, Error>(false)).unwrap();
    let (relation, sees) = (Relation::Other, true);
    let rights = Rights { relation, activity: sees, statistics: sees };
    let show = |it: &Activity| rights.show(it, ToOwned::to_owned).unwrap();
    (page.activities.iter().map(show).collect(), page.next)
}

/// Two players who differ in nothing but when on the same days, and in which matches, they have played in private.
fn twins(random: &mut SmallRng) -> [Vec<Activity>; 2] {
    let mut one: Vec<Activity> = (0..random.random_range(0..30))
        .map(|_| {
            let is_private = random.random_bool(0.5);
            activity(random, is_private)
        })
        .collect();
    let other = one.clone().into_iter().map(|mut it| {
        if it.deed.is_private {
            let hour = random.random_range(0..24);
            it.deed.time = Timestamp::from_ms(day_of(it.deed.time).ms() + hour * HOUR_MS + 17);
            it.source_id = format!("n{}", random.random::<u32>());
        }
        it
    });
    let other = other.collect();
    one.sort_by_key(|it| it.deed.time);
    [one, other]
}

#[test]
fn no_page_tells_others_when_on_a_day_something_was_played_in_private() {
    let seed = RandomState::new().hash_one(0);
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    for _ in 0..60 {
        let twins = twins(&mut random);
        let views = twins.each_ref().map(|own| stored(own));
        let whole = page(&*views[0], &Filter::default(), None, MAX_PAGE, LOOKED_AT).0;
        assert_eq!(whole.len(), twins[0].len());
        assert!(whole.is_sorted_by(|one, next| one.deed.time >= next.deed.time));
        for _ in 0..40 {
            let time = |random: &mut SmallRng| {
                random
                    .random_bool(0.4)
                    .then(|| Timestamp::from_ms(random.random_range(-1..4 * 24 * HOUR_MS)))
            };
            let filter = Filter {
                from: time(&mut random),
                to: time(&mut random),
                game: random.random_bool(0.3).then(|| "a".into()),
                kind: random.random_bool(0.3).then_some(Kind::MatchWon),
            };
            let patience = if random.random() { LOOKED_AT } else { random.random_range(0..9) };
            let of = Key::of_activity(&activity(&mut random, true)).0;
            let own = Key::default().text("p").0.len();
            let forged = Cursor { after: of[own..].to_vec(), behind: random.random_range(0..3) };
            let after = random.random_bool(0.5).then_some(forged);
            let limit = random.random_range(1..6);
            let [one, other] = views
                .each_ref()
                .map(|view| page(&**view, &filter, after.as_ref(), limit, patience));
            assert_eq!(one, other, "{filter:?} {after:?}");
            // From page to page it is the same as at once.
            let all = page(&*views[0], &filter, after.as_ref(), MAX_PAGE, LOOKED_AT).0;
            let (mut given, mut next) = one;
            while let Some(cursor) = next {
                let cursor = cursor.to_string().parse().unwrap();
                let more = page(&*views[0], &filter, Some(&cursor), limit, patience);
                given.extend(more.0);
                next = more.1;
            }
            // A cursor that was given counts no further than a page looks.
            let is_given = patience == LOOKED_AT || after.is_none_or(|it| it.behind == 0);
            assert!(!is_given || given == all, "{filter:?} {given:?} {all:?}");
        }
    }
}

/// What is passed over is not looked up in the log, however much it is, and a cursor of anybody's making goes no further than one
/// that was given.
#[test]
fn what_is_not_wanted_costs_no_look_into_the_log() {
    const ALL: i64 = 45_000;
    let of = |number: i64| Activity {
        source_id: format!("m{number}"),
        kind: if number % 15_000 == 0 { Kind::MatchWon } else { Kind::MatchPlayed },
        deed: Deed::at(Timestamp::from_ms(number * HOUR_MS)),
        ..activity(&mut SmallRng::seed_from_u64(0), false)
    };
    let view = stored(&(0..ALL).map(of).collect::<Vec<_>>());
    let filter = Filter { kind: Some(Kind::MatchWon), ..Filter::default() };
    let looked = Cell::new(0);
    let hides = |activity: &Activity| {
        looked.set(looked.get() + 1);
        Ok::<_, Error>(activity.source_id == "m15000")
    };
    for grain in [Grain::Day, Grain::Match] {
        let feed = Feed::new(&*view, "p", &filter, grain);
        let (mut told, mut next, mut pages) = (Vec::new(), Some(Cursor::default()), 0);
        looked.set(0);
        while let Some(after) = next {
            let page = feed.page(Some(&after), MAX_PAGE, hides).unwrap();
            told.extend(page.activities.into_iter().map(|it| it.source_id));
            (next, pages) = (page.next, pages + 1);
        }
        assert_eq!(told, ["m30000", "m15000", "m0"]);
        // The player's pages end behind an activity, those of others between two days.
        let at_ends = if grain == Grain::Match { 2 } else { 0 };
        assert_eq!((pages, looked.get()), (3, 3 + at_ends));
        looked.set(0);
        let forged = format!(".{MAX_BEHIND}").parse().unwrap();
        let all = Filter::default();
        let feed = Feed::new(&*view, "p", &all, grain);
        assert_eq!(feed.page(Some(&forged), 7, hides).unwrap().activities.len(), 7);
        assert!(looked.get() < 10, "{} were looked up", looked.get());
    }
}
