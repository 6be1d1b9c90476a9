//! From snapshots to facts: which post is news, and what of it.

use matchwire_domain::{
    live_match::{
        MatchPaused, MatchResumed, PauseReason, course,
        cs::{
            Event, FreezeStarted, Label, MapEnded, MapLoaded, MatchReloaded, MatchStarted,
            RoundStarted, RulesSet, Side, TeamNamed, WarmupStarted,
        },
    },
    timestamp::Timestamp,
};
use serde_json::Value;

use super::{
    carry::{Carry, Client, Place, Told, sum},
    snapshot::{Phase, Play, Provider, Snapshot, Step},
};
use crate::{Answer, Draft, series::CountsFrom, source::hash};

/// After so long without news another client may begin a match anew.
const STALE_S: i64 = 30;
/// Rules of the mode of two against two, which the game gives no other name: 8 rounds a half, and a
/// minute and a half a round. (CS2's `gamemode_competitive2v2.cfg`.)
const WINGMAN: &str = "scrimcomp2v2";

/// What is gathered while a post is read.
pub(super) struct Reading<'a> {
    pub(super) carry: Carry,
    pub(super) exchange: &'a mut dyn FnMut(&str) -> String,
    /// Whether maps are counted as they are played.
    counts_maps: bool,
    identity: &'a str,
    pub(super) time_s: i64,
    drafts: Vec<Draft>,
}

/// Reads a post; `None` is one that is no JSON object.
pub(super) fn read(
    map: Option<u16>,
    mut carry: Carry,
    post: Option<&Value>,
    identity: &str,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Answer<Carry> {
    let nothing =
        |carry, duplicate, unknown| Answer { drafts: Vec::new(), duplicate, unknown, carry };
    let Some((post, provider)) = post.and_then(|post| Some((post, Provider::of(post)?))) else {
        return nothing(carry, 0, 1);
    };
    let (snapshot, before) = (Snapshot::of(post), Snapshot::before(post));
    if post.get("map").is_some() && snapshot.play.is_none() {
        return nothing(carry, 0, 1);
    }
    let client_id = exchange(&provider.account);
    let now = fingerprint(&snapshot);
    let was = before.as_ref().map(fingerprint);
    let client = carry.clients.get(&client_id).cloned();
    if let Some(client) = &client {
        if client.now == now && client.time_s <= provider.time_s {
            return nothing(carry, 0, 0);
        }
        let follows = was.as_ref() == Some(&client.now);
        let precedes = client.before.as_ref() == Some(&now) && client.time_s == provider.time_s;
        if provider.time_s < client.time_s || (precedes && !follows) {
            return nothing(carry, 1, 0);
        }
    }
    if let Some(map) = map {
        carry.series.map = map;
    }
    let counts_maps = map.is_none();
    let time_s = provider.time_s;
    let mut reading =
        Reading { carry, exchange, counts_maps, identity, time_s, drafts: Vec::new() };
    let mut last = client.map(|client| client.place);
    // What a post that was lost would have told of the course of play. (Of people a post says only
    // what is otherwise than when they were last seen.)
    if let (Some(last), Some(play)) = (&mut last, before.and_then(|before| before.play)) {
        let place = Some(Place::of(&play));
        if *last != place {
            let before = Snapshot { play: Some(play), ..Snapshot::default() };
            reading.advance(&before, Some(&*last), &client_id);
            *last = place;
        }
    }
    reading.advance(&snapshot, last.as_ref(), &client_id);
    let client = Client { time_s, place: snapshot.play.as_ref().map(Place::of), now, before: was };
    reading.carry.remember(&client_id, client);
    let Reading { carry, drafts, .. } = reading;
    Answer { drafts, duplicate: 0, unknown: 0, carry }
}

fn fingerprint(snapshot: &Snapshot) -> String {
    hash(serde_json::to_string(snapshot).unwrap_or_default())
}

impl Reading<'_> {
    /// Tells what is new in a snapshot, after where play stood for that client; `None` if it never
    /// posted, and `Some(None)` if it was in the menu.
    fn advance(&mut self, snapshot: &Snapshot, last: Option<&Option<Place>>, client: &str) {
        let Some(play) = &snapshot.play else {
            if last.is_some_and(Option::is_some) {
                self.leave(client);
            }
            return;
        };
        let place = last.and_then(Option::as_ref);
        // A client that is only slower than the others begins nothing anew.
        let anew = match place {
            Some(place) => place.is_left_for(play),
            None => last.is_some() || self.is_stale(),
        };
        self.open_map(play, anew, last.is_none());
        // One that is still on another map than the others tells nothing of theirs.
        if self.carry.series.map_name.as_deref() != Some(&play.map_name) {
            return;
        }
        self.carry.time_s = self.carry.time_s.max(self.time_s);
        let told = self.carry.told.get_or_insert_with(Told::nothing).clone();
        if play.phase == Phase::WarmUp {
            return self.warm_up(snapshot, told.phase, anew);
        }
        let warmed_up = place.is_none_or(|place| place.phase == Phase::WarmUp);
        if told.phase == Some(Phase::WarmUp) && !warmed_up && !anew {
            return;
        }
        self.begin(play, anew);
        let behind = (sum(play.score), play.step) < told_progress(self.told(), play);
        if behind && !place.is_some_and(|place| place.is_round_again(play)) {
            // Another client was quicker; whom this one sees is news all the same.
            self.people(snapshot);
            return self.reports(snapshot);
        }
        self.play(play, snapshot);
    }

    /// Nothing counts until the match starts.
    fn warm_up(&mut self, snapshot: &Snapshot, told: Option<Phase>, anew: bool) {
        if told != Some(Phase::WarmUp) && (told.is_none() || anew) {
            self.say(WarmupStarted {});
            self.carry.begin_map();
            self.tell(|told| told.phase = Some(Phase::WarmUp));
        }
        if self.told().phase == Some(Phase::WarmUp) {
            self.people(snapshot);
            self.reports(snapshot);
        }
    }

    /// Whether nobody has told anything for a while.
    fn is_stale(&self) -> bool {
        self.time_s > self.carry.time_s.saturating_add(STALE_S)
    }

    /// Another map than the one that was told, or the same one after its end.
    fn open_map(&mut self, play: &Play, anew: bool, is_first: bool) {
        let other = self.carry.series.map_name.as_deref() != Some(&play.map_name);
        let again = self.carry.series.over && play.phase != Phase::GameOver;
        if !((other && (anew || is_first)) || (again && anew)) {
            return;
        }
        self.say(MapLoaded { map_name: Label::cut(&play.map_name) });
        self.carry.begin_map();
        if play.mode.as_deref() == Some(WINGMAN) {
            self.say(RulesSet {
                max_rounds: Some(16),
                overtime_max_rounds: None,
                overtime: None,
                round_s: Some(90),
                bomb_s: None,
            });
        }
    }

    /// The match starts, starts again, or goes on from a back-up.
    fn begin(&mut self, play: &Play, anew: bool) {
        let told = self.told();
        let starts = match told.phase {
            Some(Phase::WarmUp) => true,
            // Whoever comes to a match that is on does not see it start.
            None => sum(play.score) == 0,
            _ => anew && sum(play.score) == 0 && sum(told.score) > 0,
        };
        let reloads = !starts && anew && sum(play.score) < sum(told.score);
        if !starts && !reloads {
            return;
        }
        let names = told.names.clone();
        if starts {
            self.say(MatchStarted { map_name: Some(Label::cut(&play.map_name)) });
        } else {
            self.say(MatchReloaded { score: Some(play.score) });
        }
        self.carry.begin_map();
        let score = if reloads { play.score } else { self.told().score };
        self.tell(|told| {
            (told.phase, told.score, told.names) = (Some(Phase::Live), score, names);
        });
    }

    /// Tells how play goes on.
    fn play(&mut self, play: &Play, snapshot: &Snapshot) {
        self.bomb(play);
        self.rounds(play, snapshot);
        self.people(snapshot);
        self.names(play);
        self.step(play);
        self.reports(snapshot);
        self.pauses(play);
        self.tell(|told| told.phase = Some(play.phase));
        if play.phase == Phase::GameOver && !self.carry.series.over {
            let map_name = Some(Label::cut(&play.map_name));
            self.say(MapEnded { score: play.score, map_name });
        }
    }

    fn names(&mut self, play: &Play) {
        for (index, side) in [Side::Ct, Side::T].into_iter().enumerate() {
            let name = play.names.get(index).cloned().flatten();
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            if self.told().names.get(index) == Some(&Some(name.clone())) {
                continue;
            }
            self.say(TeamNamed { side, name: Label::cut(&name) });
            self.tell(|told| {
                if let Some(told) = told.names.get_mut(index) {
                    *told = Some(name);
                }
            });
        }
    }

    /// The time to buy, and the round itself.
    fn step(&mut self, play: &Play) {
        let told = self.told();
        if play.step.is_none() || play.step == told.step {
            return;
        }
        match play.step {
            Some(Step::Freeze) => self.say(FreezeStarted {}),
            Some(Step::Live) => self.say(RoundStarted {}),
            _ => {}
        }
        let live_s = (play.step == Some(Step::Live)).then_some(self.time_s);
        if play.step != Some(Step::Over) {
            self.carry.forget_health();
        }
        self.tell(|told| (told.step, told.live_s) = (play.step, live_s.or(told.live_s)));
    }

    fn pauses(&mut self, play: &Play) {
        let clock = match (play.phase, play.clock.as_deref()) {
            (Phase::Intermission, _) => Some("intermission"),
            (_, Some(clock @ ("timeout_ct" | "timeout_t" | "paused"))) => Some(clock),
            (_, Some(_)) => None,
            // A player's client does not see the clock.
            _ => self.carry.told.as_ref().and_then(|told| told.pause.as_deref()),
        };
        let clock =
            clock.filter(|clock| play.phase == Phase::Intermission || *clock != "intermission");
        let clock = clock.map(str::to_owned);
        if clock == self.told().pause {
            return;
        }
        let (reason, side) = match clock.as_deref() {
            Some("timeout_ct") => (PauseReason::Timeout, Some("CT")),
            Some("timeout_t") => (PauseReason::Timeout, Some("T")),
            Some("intermission") => (PauseReason::HalfTime, None),
            _ => (PauseReason::Technical, None),
        };
        if clock.is_some() {
            let paused = MatchPaused { reason, side: side.map(Label::cut) };
            self.say(course::Event::from(paused));
        } else {
            self.say(course::Event::from(MatchResumed {}));
        }
        self.tell(|told| told.pause = clock);
    }

    /// What was told of the map.
    pub(super) fn told(&mut self) -> &Told {
        self.carry.told.get_or_insert_with(Told::nothing)
    }

    /// Notes what is told of the map.
    pub(super) fn tell(&mut self, note: impl FnOnce(&mut Told)) {
        note(self.carry.told.get_or_insert_with(Told::nothing));
    }

    /// Tells a fact, in which accounts are exchanged already.
    pub(super) fn say(&mut self, event: impl Into<Event>) {
        let event = event.into();
        if self.carry.series.follow(&event, self.counts_maps, CountsFrom::CLIENT) {
            self.carry.begin_stream();
        }
        self.carry.roster.follow(&event);
        let id = format!("{}.{}", self.identity, self.drafts.len());
        let draft = Draft::new(self.carry.series.map, "gsi", id, &event);
        let time = Some(Timestamp::from_ms(self.time_s.saturating_mul(1_000)));
        self.drafts.push(Draft { time, ..draft });
    }
}

/// How far the map is by what was told; what a post does not tell of the round does not count.
fn told_progress(told: &Told, play: &Play) -> (u32, Option<Step>) {
    let (rounds, step) = told.progress();
    (rounds, if play.step.is_none() { None } else { step })
}
