//! The stored view comes to what all of the log comes to at once, however it was followed.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use matchwire_domain::{
    activity::{Activity, Kind},
    envelope::{Attributes, Event},
};
use matchwire_log::{
    Append, Log, Memory, SystemClock,
    projection::{Options, Reader, Runner},
    view_store::{Error, MemoryViews, Snapshot, ViewStore},
};
use matchwire_players::{
    rating::{Bout, Rated, Rating, Ratings, System},
    rights::Grain,
    statistics::{Format, Reach, Span, Split, Statistics},
    view::{self, Course, Feed, Filter, MAX_PAGE, Place, Players, Standing},
};
use rand::Rng as _;

use crate::{
    corrections::{rng, step},
    world::{World, event},
};

/// The games of the log; where nobody tells it, the game is empty.
const GAMES: [&str; 3] = ["", "cs2", "football"];

/// A log with the view of it.
pub(crate) struct Followed {
    pub(crate) log: Log,
    pub(crate) store: Arc<dyn ViewStore>,
    pub(crate) runner: Runner,
    runtime: tokio::runtime::Runtime,
}

impl Followed {
    pub(crate) fn new() -> Self {
        let log = Log::open(Box::new(Memory::new()), Arc::new(SystemClock)).unwrap();
        let store: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
        let runner = Self::run(&log, &store);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { log, store, runner, runtime }
    }

    fn run(log: &Log, store: &Arc<dyn ViewStore>) -> Runner {
        let view = Arc::new(Players::new(log.clone()));
        Runner::start(log, store.clone(), view, Options::default()).unwrap()
    }

    pub(crate) fn append(&self, event: &Event) {
        let append = Append {
            subject: event.subject.clone(),
            events: vec![event.clone()],
            expected_seq: None,
            received: Instant::now(),
        };
        self.runtime.block_on(self.log.append(vec![append])).unwrap().remove(0).unwrap();
    }

    /// The view with all that is in the log, and all ratings folded.
    pub(crate) fn snapshot(&self) -> Box<dyn Snapshot> {
        let reader: Reader = self.runner.reader();
        loop {
            self.runtime.block_on(async { reader.catch_up().await });
            let snapshot = reader.snapshot().unwrap();
            if GAMES.iter().all(|game| view::is_folded(&*snapshot, game).unwrap()) {
                return snapshot;
            }
            std::thread::yield_now();
        }
    }

    /// The same log and view, followed by another runner.
    pub(crate) fn restarted(&mut self) {
        self.runner = Self::run(&self.log, &self.store);
    }

    /// The view, built anew from all of the log.
    fn rebuilt(&mut self) -> Box<dyn Snapshot> {
        self.store = Arc::new(MemoryViews::new());
        self.runner = Self::run(&self.log, &self.store);
        self.snapshot()
    }
}

/// All that a player has done, over pages of some size.
fn activities(snapshot: &dyn Snapshot, player: &str, limit: usize) -> Vec<Activity> {
    let filter = Filter::default();
    let feed = Feed::new(snapshot, player, &filter, Grain::Match);
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = feed.page(after.as_ref(), limit, |_| Ok::<_, Error>(false)).unwrap();
        all.extend(page.activities);
        after = page.next;
        if after.is_none() {
            assert!(
                all.is_sorted_by(|one: &Activity, next: &Activity| one.deed.time >= next.deed.time)
            );
            return all;
        }
    }
}

pub(crate) fn check(snapshot: &dyn Snapshot, truth: &Statistics, limit: usize) {
    let mut boards: BTreeMap<Split, Vec<(i64, String)>> = BTreeMap::new();
    let mut players: BTreeMap<&str, usize> = BTreeMap::new();
    for (player, split, expected) in truth.iter() {
        let found = view::record(snapshot, player, split).unwrap().unwrap_or_default();
        assert_eq!(
            (&found.tally, &found.streaks),
            (&expected.tally, &expected.streaks),
            "{player} {split:?}"
        );
        if (&split.span, split.format) == (&Span::Always, Format::Both) {
            let (game, reach) = (&split.game, split.reach);
            let met = view::opponents(snapshot, player, game, reach).unwrap();
            assert!(met.is_sorted_by(|(_, one), (_, next)| one.met() >= next.met()));
            for (other, versus) in &met {
                let alone = view::versus(snapshot, player, game, other, reach).unwrap();
                assert_eq!(alone, *versus);
            }
            assert_eq!(met.into_iter().collect::<BTreeMap<_, _>>(), expected.versus);
        }
        if split.reach == Reach::Others && expected.tally.won > 0 {
            boards.entry(split.clone()).or_default().push((-expected.tally.won, player.to_owned()));
        }
        players.insert(player, 0);
    }
    for (split, mut all) in boards {
        all.sort();
        let place = |won: i64| 1 + all.iter().filter(|(other, _)| *other < won).count() as u64;
        let expected: Vec<Standing> = all
            .iter()
            .map(|(won, player)| Standing {
                player: player.clone(),
                won: won.unsigned_abs(),
                place: place(*won),
            })
            .collect();
        assert_eq!(view::board(snapshot, &split, Place::Top, 1_000).unwrap(), expected);
        for (at, standing) in expected.iter().enumerate() {
            let around = view::board(snapshot, &split, Place::Around(&standing.player), 5).unwrap();
            let first = expected.iter().position(|other| *other == around[0]).unwrap();
            assert_eq!(
                (first, &*around),
                (at.saturating_sub(2), &expected[first..first + around.len()])
            );
            assert!(around.len() == 5 || first + around.len() == expected.len());
            assert!(around.contains(standing));
            let rest = view::board(snapshot, &split, Place::Behind(at), 1_000).unwrap();
            assert_eq!(rest, expected[at..]);
        }
    }
    for player in players.keys() {
        let all = activities(snapshot, player, limit);
        let own = Statistics::of(&all);
        for (_, split, expected) in truth.iter().filter(|(of, ..)| of == player) {
            assert_eq!(own.record(player, split).unwrap().tally, expected.tally);
        }
    }
}

/// Ratings are those of all outcomes, folded at once.
fn check_ratings(snapshot: &dyn Snapshot, world: &World, limit: usize) -> usize {
    let outcomes = world.outcomes();
    let mut points = 0;
    for game in GAMES {
        let of_game = || outcomes.iter().filter(|outcome| outcome.game == game);
        for system in System::SERVED {
            let bouts = of_game().filter_map(|outcome| Bout::of(outcome, Rated::Players));
            let truth = Ratings::of(system, bouts);
            let mut expected = Vec::new();
            for (player, rating) in truth.iter() {
                let course = Course { player, game, system };
                let now = view::rated(snapshot, course).unwrap().unwrap();
                assert_eq!(now.rating, *rating, "{player} {system}");
                let told = courses(snapshot, course, limit);
                let of_truth: Vec<(String, Rating)> = truth
                    .course_of(player)
                    .map(|(key, rating)| (key.match_id.clone(), *rating))
                    .collect();
                assert_eq!(told.into_iter().rev().collect::<Vec<_>>(), of_truth);
                points += of_truth.len();
                expected.push((rating.floor(system), player.to_owned(), *rating));
            }
            expected
                .sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
            let ladder = view::ladder(snapshot, game, system, Place::Top, 1_000).unwrap();
            let places = ladder.iter().map(|it| (it.place, it.player.clone(), it.rating));
            let better = |floor: f64| expected.iter().filter(|(of, ..)| *of > floor).count() as u64;
            let expected: Vec<_> = expected
                .iter()
                .map(|(floor, who, it)| (1 + better(*floor), who.clone(), *it))
                .collect();
            assert_eq!(places.collect::<Vec<_>>(), expected);
        }
    }
    points
}

/// A course over pages of some size, the newest first.
fn courses(snapshot: &dyn Snapshot, course: Course<'_>, limit: usize) -> Vec<(String, Rating)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = course.page(snapshot, Grain::Match, after.as_ref(), limit).unwrap();
        all.extend(page.points.into_iter().map(|point| (point.match_id.unwrap(), point.rating)));
        after = page.next.map(|next| next.to_string().parse().unwrap());
        if after.is_none() {
            return all;
        }
    }
}

/// Whoever is told only what a rating was at the end of a day is told nothing of when it changed, over pages of any size.
#[test]
fn of_a_day_only_the_last_rating_is_told() {
    let followed = Followed::new();
    let teams = r#"{"game":"cs2","teams":[{"name":"A","players":[{"player":"a"}]},{"name":"B","players":[{"player":"b"}]}]}"#;
    let day = 24 * 3_600;
    for (number, second) in (0..).zip([10, 20, day, day + 30, 3 * day + 5]) {
        let subject = format!("match/m{number}");
        followed.append(&event(&subject, "1", second, "match.scheduled", teams));
        followed.append(&event(&subject, "2", second, "series.ended", r#"{"winner":0}"#));
    }
    let snapshot = followed.snapshot();
    let course = Course { player: "a", game: "cs2", system: System::OpenSkill };
    let each = courses(&*snapshot, course, 10);
    for limit in 1..=4 {
        let (mut told, mut after) = (Vec::new(), None);
        loop {
            let page = course.page(&*snapshot, Grain::Day, after.as_ref(), limit).unwrap();
            assert!(page.points.iter().all(|point| point.match_id.is_none()));
            told.extend(page.points.iter().map(|it| (it.time.ms() / 86_400_000, it.rating)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let of = |day: i64, index: usize| (day, each[index].1);
        assert_eq!(told, [of(3, 0), of(1, 1), of(0, 3)]);
    }
}

/// Who plays may be told after the end.
#[test]
fn a_line_up_that_is_told_late_counts() {
    for (tag, of_side) in [
        ("lineup.told", r#""players":[{"player":"PLAYER","starts":true}]"#),
        ("card.shown", r#""card":"yellow","player":"PLAYER""#),
        ("shot.taken", r#""outcome":"saved","player":"PLAYER""#),
        ("goal.scored", r#""scorer":"PLAYER""#),
    ] {
        let followed = Followed::new();
        followed.append(&event(
            "match/f/1",
            "1",
            1,
            "period.started",
            r#"{"period":"first_half"}"#,
        ));
        followed.append(&event("match/f/1", "2", 2, "match.finished", "{}"));
        assert!(activities(&*followed.snapshot(), "a", 9).is_empty());
        for (team, player) in [(0, "a"), (1, "b")] {
            let data = format!("{{\"team\":{team},{}}}", of_side.replace("PLAYER", player));
            followed.append(&event("match/f/1", player, 3, tag, &data));
        }
        let told = activities(&*followed.snapshot(), "a", 9);
        assert!(told.iter().any(|it| it.kind == Kind::MatchPlayed), "{tag}: {told:?}");
    }
}

/// Whoever is erased is on no ladder, whatever follows, and others are rated as if nobody was.
#[test]
fn whoever_is_erased_leaves_the_ladders() {
    let rated = |is_erased: bool| {
        let mut followed = Followed::new();
        let teams = r#"{"game":"cs2","teams":[{"name":"A","players":[{"player":"a"}]},{"name":"B","players":[{"player":"b"}]}]}"#;
        for number in 0..4 {
            let subject = format!("match/m{number}");
            followed.append(&event(&subject, "1", 9 - number, "match.scheduled", teams));
            followed.append(&event(&subject, "2", 9 - number, "series.ended", r#"{"winner":0}"#));
            if number == 1 && is_erased {
                drop(followed.snapshot());
                // What admission keeps for the server.
                let erased = Attributes::of("1", "matchwire", "player/a", "player.erased");
                followed.append(&Event::new(&erased, "{}").unwrap());
            }
        }
        let of = |snapshot: &dyn Snapshot, system: System| {
            let course = Course { player: "b", game: "cs2", system };
            let own = view::rated(snapshot, course).unwrap().unwrap().rating;
            let all = view::ladder(snapshot, "cs2", system, Place::Top, 9).unwrap();
            let around = view::ladder(snapshot, "cs2", system, Place::Around("a"), 9).unwrap();
            let who: Vec<String> = all.into_iter().map(|rung| rung.player).collect();
            (own, who, around.len())
        };
        let snapshots = [followed.snapshot(), followed.rebuilt()];
        snapshots.map(|snapshot| System::SERVED.map(|system| of(&*snapshot, system)))
    };
    for (erased, whole) in rated(true).iter().flatten().zip(rated(false).iter().flatten()) {
        assert_eq!((erased.0, &*erased.1, erased.2), (whole.0, &["b".to_owned()][..], 0));
        assert_eq!((&*whole.1, whole.2), (&["a".to_owned(), "b".to_owned()][..], 2));
    }
}

#[test]
fn rows_are_those_of_the_final_truth_however_they_were_made() {
    let mut rng = rng();
    let mut points = 0;
    for _ in 0..8 {
        let (mut world, mut followed) = (World::new(), Followed::new());
        for number in 0..rng.random_range(30..120) {
            let told = step(&mut rng, &world, number);
            world.tell(&told);
            followed.append(&told);
            if rng.random_bool(0.1) {
                check(&*followed.snapshot(), &world.statistics(), MAX_PAGE);
                check_ratings(&*followed.snapshot(), &world, MAX_PAGE);
            }
            if rng.random_bool(0.05) {
                followed.restarted();
            }
        }
        world.follow_all();
        let limit = rng.random_range(1..=MAX_PAGE);
        for snapshot in [followed.snapshot(), followed.rebuilt()] {
            check(&*snapshot, &world.statistics(), limit);
            points += check_ratings(&*snapshot, &world, limit);
        }
    }
    assert!(points > 100, "{points} points of ratings are few");
}

#[test]
fn a_corrected_result_is_taken_back_and_stated_also_when_the_view_is_built_anew() {
    let mut followed = Followed::new();
    let teams = r#"{"game":"cs2","teams":[{"name":"A","players":[{"player":"a"}]},{"name":"B","players":[{"player":"b"}]}]}"#;
    followed.append(&event("match/m", "1", 1, "match.scheduled", teams));
    followed.append(&event("match/m", "2", 2, "series.ended", r#"{"winner":0}"#));
    for (number, winner) in [(3, 1), (4, 0)] {
        let data = format!(r#"{{"seq":2,"winner":{winner}}}"#);
        followed.append(&event("match/m", &number.to_string(), number, "result.amended", &data));
    }
    let told = |snapshot: &dyn Snapshot| {
        let all = activities(snapshot, "a", MAX_PAGE);
        let mut all: Vec<(String, u32)> =
            all.iter().map(|activity| (activity.kind.to_string(), activity.revision)).collect();
        all.sort();
        all
    };
    let expected = [
        ("match_lost", 1),
        ("match_lost", 2),
        ("match_played", 1),
        ("match_won", 1),
        ("match_won", 2),
        ("match_won", 3),
    ];
    let expected: Vec<(String, u32)> =
        expected.map(|(kind, revision)| (kind.to_owned(), revision)).to_vec();
    assert_eq!(told(&*followed.snapshot()), expected);
    assert_eq!(told(&*followed.rebuilt()), expected);
}
