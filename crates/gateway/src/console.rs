//! The console's files, which are part of the binary.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, Response, header},
};
use matchwire_domain::subject;

use crate::problem::{Code, Problem};

/// What the pages may load: their own files, and nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; \
                      form-action 'none'";

/// Declares the files by name.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../console/", $name)))),+]
    };
}

/// The client that the pages use, and whoever builds on it.
const CLIENT: (&str, &[u8]) = ("matchwire.js", include_bytes!("../../../clients/js/matchwire.js"));

/// Every other file beside the pages.
#[rustfmt::skip]
const FILES: &[(&str, &[u8])] = files![
    "anomalies.js", "api.js", "calibration.css", "calibration_page.js", "chart.js",
    "chart_series.js", "clock.js", "commands.js", "console.css", "console.js",
    "correction_dialogs.js", "corrections.js", "cs_view.js", "desk.js", "dialog.js", "dom.js",
    "embed.css", "embed.js", "event_history.js", "event_list.js", "event_words.js", "feed.js",
    "football_chart.js", "football_hero.js", "football_view.js", "football_words.js",
    "help.js", "hero.js", "icon.svg", "icons.js", "kill_feed.js", "latency.js",
    "leaderboard_page.js", "map_model.js", "map_page.js", "match_list.js", "play_log.js",
    "player_feed.js", "player_page.js", "player_stats.js", "player_words.js", "players.css",
    "rating_chart.js", "reading.js", "referee.css", "referee_actions.js", "referee_name.js",
    "referee_page.js", "reliability.js", "round_history.js", "ruling.js",
    "schedule_dialog.js", "schema_form.js", "scoreboard.js", "series.js", "series_page.js",
    "series_strip.js", "theme.js", "upstreams.js", "viewer.js", "viewer_button.js",
    "words.js",
];

pub(crate) async fn index() -> Response<Body> {
    let mut response = file("index.html", include_bytes!("../console/index.html"));
    // The console acts for its user; nobody else may put it into a frame.
    let policy = HeaderValue::from_static("frame-ancestors 'self'");
    response.headers_mut().append(header::CONTENT_SECURITY_POLICY, policy);
    response
}

pub(crate) async fn embed(
    Path((match_id, map)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    subject::check_segment(&match_id)?;
    subject::parse_map(&map)?;
    Ok(file("embed.html", include_bytes!("../console/embed.html")))
}

pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response<Body>, Problem> {
    let found = FILES.iter().chain([&CLIENT]).find(|(file, _)| *file == name);
    let (name, bytes) =
        found.ok_or_else(|| Problem::new(Code::NotFound, "the console has no such file"))?;
    Ok(file(name, bytes))
}

fn file(name: &str, bytes: &'static [u8]) -> Response<Body> {
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // A new binary has new files under the same names.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_console_is_served() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/console");
        for entry in std::fs::read_dir(directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let is_page = matches!(name.as_str(), "index.html" | "embed.html");
            let is_part = ["html", "css", "js", "svg"].iter().any(|end| name.ends_with(end));
            let is_test = name.contains("test");
            if is_part && !is_page && !is_test {
                assert!(FILES.iter().any(|(file, _)| *file == name), "{name} is not served");
            }
        }
    }
}
