//! What is set of an upstream, and the checks of it.

use std::{collections::BTreeMap, time::Duration};

use matchwire_domain::subject;
use matchwire_gateway::Class;
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::{Deserialize, Deserializer, de::Error as _};

/// The format of events in their own envelope; every other one is a source's.
pub const CLOUDEVENTS: &str = "cloudevents";

/// How an upstream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is asked again and again.
    Poll,
    /// It sends events in an answer that does not end.
    Sse,
    /// It sends messages over a WebSocket.
    WebSocket,
}

impl Kind {
    /// Its name, in settings and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Sse => "sse",
            Self::WebSocket => "websocket",
        }
    }
}

/// For what bodies in a source's format are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The match.
    pub match_id: String,
    /// The number of the map, or `auto`.
    pub map: String,
}

/// An upstream as it is set.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Its name, a segment of a subject.
    pub name: String,
    /// Where it is.
    pub url: Url,
    /// How it is read.
    pub kind: Kind,
    /// [`CLOUDEVENTS`], or the name of a source.
    pub format: String,
    /// The match and map, for a source's format.
    pub place: Option<Place>,
    /// Its class.
    pub class: Class,
    /// What goes with each request.
    pub headers: HeaderMap,
    /// How long a poll waits for the next.
    pub every: Duration,
    /// How long it may take to connect and, of a poll, to answer as a whole.
    pub timeout: Duration,
    /// How long a stream may say nothing at all.
    pub silence: Duration,
    /// The wait after a first failure, which doubles with each one more.
    pub retry: Duration,
    /// For how long it is left alone after many failures.
    pub cooldown: Duration,
    /// Where in a JSON message its events are, as a JSON pointer; by default they are looked for.
    pub events: Option<String>,
    /// Where in a JSON message the cursor is from which to go on, as a JSON pointer.
    pub cursor: String,
    /// The parameter of the URL that takes the cursor; none if it is empty.
    pub cursor_param: String,
    /// The cursor from which to begin.
    pub start: Option<String>,
    /// What a WebSocket is sent at first, with `${cursor}` for the cursor as a JSON string.
    pub hello: Vec<String>,
}

/// Why settings of an upstream are wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {what}")]
pub struct Error {
    /// The key.
    pub key: &'static str,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// Settings of an upstream as they are written; what is left out is by default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    url: String,
    kind: Option<Kind>,
    format: Option<String>,
    #[serde(rename = "match")]
    match_id: Option<String>,
    map: Option<Map>,
    #[serde(default, deserialize_with = "class")]
    class: Option<Class>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "duration")]
    every: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    silence: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    retry: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    cooldown: Option<Duration>,
    events: Option<String>,
    cursor: Option<String>,
    cursor_param: Option<String>,
    start: Option<String>,
    #[serde(default)]
    hello: Vec<String>,
}

/// A map as it is written: a number, or `auto`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Map {
    Number(u64),
    Text(String),
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = humantime::parse_duration(&text);
    parsed.map(Some).map_err(|error| {
        D::Error::custom(format!("{text:?} must be a time, as in 500ms or 1m 30s: {error}"))
    })
}

fn class<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Class>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

/// The longest time that can be set.
const MAX_TIME: Duration = Duration::from_hours(1);
/// The most that can be said in a hello, in messages and in bytes each.
const MAX_HELLO: usize = 16;
const MAX_HELLO_BYTES: usize = 16 << 10;

impl Feed {
    /// Checks what was written of an upstream. `formats` are the sources that there are, and `variable`
    /// gives a variable of the environment, which `${NAME}` in a header's value stands for.
    pub fn new(
        name: &str,
        written: Written,
        formats: &[&str],
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        if subject::check_segment(name).is_err() {
            return Err(wrong("name", format!("{name:?} must match [A-Za-z0-9._~-]{{1,64}}")));
        }
        let url = Url::parse(&written.url)
            .map_err(|error| wrong("url", format!("it cannot be read: {error}")))?;
        let kind = kind_of(&url, written.kind)?;
        let format = written.format.clone().unwrap_or_else(|| CLOUDEVENTS.into());
        let place = place(&written, &format, formats)?;
        let time = |key, value: Option<Duration>, default, least| {
            let value = value.unwrap_or(default);
            let is_good = (least..=MAX_TIME).contains(&value);
            let what = || format!("{value:?} must be from {least:?} to 1h");
            if is_good { Ok(value) } else { Err(wrong(key, what())) }
        };
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        let applies = |key, is_set, to: &[Kind]| {
            let names: Vec<&str> = to.iter().map(|kind| kind.as_str()).collect();
            let what =
                || format!("it is for {}, and this one is {}", names.join(" and "), kind.as_str());
            if is_set && !to.contains(&kind) { Err(wrong(key, what())) } else { Ok(()) }
        };
        let streams = [Kind::Sse, Kind::WebSocket];
        applies("every", written.every.is_some(), &[Kind::Poll])?;
        applies("silence", written.silence.is_some(), &streams)?;
        applies("hello", !written.hello.is_empty(), &[Kind::WebSocket])?;
        applies("cursor", written.cursor.is_some(), &[Kind::Poll, Kind::WebSocket])?;
        for (key, pointer) in [("events", &written.events), ("cursor", &written.cursor)] {
            check_pointer(key, pointer.as_deref())?;
        }
        check_hello(&written.hello)?;
        let default_cursor = if kind == Kind::Poll { "/next" } else { "/cursor" };
        let default_param = if kind == Kind::Poll { "after" } else { "" };
        Ok(Self {
            name: name.into(),
            kind,
            format,
            place,
            class: written.class.unwrap_or(Class::Broadcast),
            headers: headers(&written.headers, variable)?,
            every: time("every", written.every, s(5), ms(50))?,
            timeout: time("timeout", written.timeout, s(10), ms(50))?,
            silence: time("silence", written.silence, s(60), ms(50))?,
            retry: time("retry", written.retry, ms(500), ms(1))?,
            cooldown: time("cooldown", written.cooldown, s(30), ms(1))?,
            events: written.events,
            cursor: written.cursor.unwrap_or_else(|| default_cursor.into()),
            cursor_param: written.cursor_param.unwrap_or_else(|| default_param.into()),
            start: written.start,
            hello: written.hello,
            url,
        })
    }

    /// Where it is, without what may be secret.
    pub fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        let has_query = url.query().is_some();
        url.set_query(None);
        url.set_fragment(None);
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if has_query { format!("{url}?…") } else { url.into() }
    }
}

fn kind_of(url: &Url, written: Option<Kind>) -> Result<Kind, Error> {
    let is_socket = match url.scheme() {
        "http" | "https" => false,
        "ws" | "wss" => true,
        other => {
            let what = format!("its scheme is {other:?} and must be http, https, ws or wss");
            return Err(wrong("url", what));
        }
    };
    if url.host().is_none() {
        return Err(wrong("url", "it must name a host".into()));
    }
    let kind = written.unwrap_or(if is_socket { Kind::WebSocket } else { Kind::Poll });
    if (kind == Kind::WebSocket) != is_socket {
        let what = "poll and sse go with http and https, websocket with ws and wss".into();
        return Err(wrong("kind", what));
    }
    Ok(kind)
}

fn place(written: &Written, format: &str, formats: &[&str]) -> Result<Option<Place>, Error> {
    if format == CLOUDEVENTS {
        let key = match (&written.match_id, &written.map) {
            (Some(_), _) => "match",
            (_, Some(_)) => "map",
            _ => return Ok(None),
        };
        return Err(wrong(key, "events in their own envelope say where they belong".into()));
    }
    if !formats.contains(&format) {
        let known = formats.join(", ");
        let what = format!("{format:?} must be {CLOUDEVENTS} or a source: {known}");
        return Err(wrong("format", what));
    }
    let Some(match_id) = written.match_id.clone() else {
        return Err(wrong("match", format!("say for which match the {format} is")));
    };
    if let Err(error) = subject::check_segment(&match_id) {
        return Err(wrong("match", error.to_string()));
    }
    let map = match &written.map {
        None => "auto".into(),
        Some(Map::Number(number)) => number.to_string(),
        Some(Map::Text(text)) => text.clone(),
    };
    if map != "auto"
        && let Err(error) = subject::parse_map(&map)
    {
        return Err(wrong("map", error.to_string()));
    }
    Ok(Some(Place { match_id, map }))
}

fn headers(
    written: &BTreeMap<String, String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        // The value may be a secret, and is not told.
        let bad = |what: &str| wrong("headers", format!("{name}: {what}"));
        let known = HeaderName::try_from(name).map_err(|_| bad("it is no name of a header"))?;
        let value = expand(value, variable).map_err(|what| bad(&what))?;
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| bad("its value has characters that a header cannot have"))?;
        value.set_sensitive(true);
        headers.insert(known, value);
    }
    Ok(headers)
}

/// Puts variables of the environment in the place of their names.
fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut parts = text.split("${");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').ok_or("a ${ in its value has no }")?;
        let value = variable(name).ok_or_else(|| format!("the variable {name} is not set"))?;
        whole.push_str(&value);
        whole.push_str(rest);
    }
    Ok(whole)
}

fn check_pointer(key: &'static str, pointer: Option<&str>) -> Result<(), Error> {
    match pointer {
        Some(text) if !text.is_empty() && !text.starts_with('/') => {
            Err(wrong(key, format!("{text:?} must be a JSON pointer, as in /data/events")))
        }
        _ => Ok(()),
    }
}

fn check_hello(hello: &[String]) -> Result<(), Error> {
    if hello.len() > MAX_HELLO || hello.iter().any(|text| text.len() > MAX_HELLO_BYTES) {
        let what = format!("at most {MAX_HELLO} messages of {MAX_HELLO_BYTES} bytes");
        return Err(wrong("hello", what));
    }
    Ok(())
}

fn wrong(key: &'static str, what: String) -> Error {
    Error { key, what }
}

#[cfg(test)]
mod tests;
