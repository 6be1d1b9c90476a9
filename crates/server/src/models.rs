//! Which models predict, and which are asked in their shadow. A change is an event in a stream of the log, so that what was predicted before stays
//! as it was sent, whatever model the server is started with.

use std::time::Instant;

use anyhow::{Context as _, bail};
use matchwire_domain::{
    envelope::{Attributes, Event},
    live_match::{Games, MODEL_SWITCHED, MODELS_STREAM, ModelSwitched, Models},
    subject::Subject,
    timestamp::Timestamp,
};
use matchwire_log::{Append, Clock as _, Log, SystemClock};

/// How many switches are read at once.
const PAGE: usize = 1_000;
/// Who appends them.
const SOURCE: &str = "matchwire";

/// The games with the models that predict them from now on: those that are `wanted`, as `GAME=MODEL`, or
/// each game's first one. `newest` is when the log's newest event was recorded.
pub(crate) async fn choose(
    log: &Log,
    games: Games,
    wanted: &[String],
    newest: Timestamp,
) -> anyhow::Result<Games> {
    let stream = Subject::parse(MODELS_STREAM)?;
    let mut switches = read(log, &stream)?;
    let wanted = parse(&games, "--model", wanted)?;
    // What is in the log was predicted already.
    let from = Timestamp::from_ms(SystemClock.now().ms().max(newest.ms() + 1));
    let known = Models::new(switches.clone());
    for game in games.iter() {
        // Without a switch it is the first one that predicts, whatever a later version prefers.
        let first = game.models().first().copied();
        let before = known.last(game.name()).or(first);
        let chosen = wanted.iter().find(|(name, _)| *name == game.name()).map(|(_, model)| *model);
        let Some(model) = chosen.or(first).filter(|model| before != Some(*model)) else { continue };
        tracing::info!(game = game.name(), before, model, "another model predicts from now on");
        let switch = ModelSwitched { game: game.name().into(), model: model.into(), from };
        append(log, &stream, &switch).await?;
        switches.push(switch);
    }
    Ok(games.with_models(Models::new(switches)))
}

/// The games with the models, as `GAME=MODEL`, that predict in the shadow of those in force.
pub(crate) fn shadow(games: Games, wanted: &[String]) -> anyhow::Result<Games> {
    let mut shadows: Vec<(String, String)> = Vec::new();
    for (game, model) in parse(&games, "--shadow", wanted)? {
        let shadow = (game.to_owned(), model.to_owned());
        if games.model_at(game, Timestamp::from_ms(i64::MAX)) == model {
            tracing::warn!(game, model, "the model predicts openly, so it has no shadow of itself");
        }
        if !shadows.contains(&shadow) {
            shadows.push(shadow);
        }
    }
    Ok(games.with_shadows(shadows))
}

/// Reads `GAME=MODEL`, as a flag gives it.
fn parse<'a>(
    games: &Games,
    flag: &str,
    wanted: &'a [String],
) -> anyhow::Result<Vec<(&'a str, &'a str)>> {
    let mut models = Vec::new();
    for text in wanted {
        let Some((name, model)) = text.split_once('=') else {
            bail!("{flag} must be GAME=MODEL, as in cs2=mw-gbt-1, and not {text:?}");
        };
        let Some(game) = games.named(name) else {
            let known: Vec<&str> =
                games.iter().map(matchwire_domain::live_match::Game::name).collect();
            bail!("{flag} names the game {name:?}; known are {}", known.join(", "));
        };
        if !game.models().contains(&model) {
            bail!("{flag} names the model {model:?}; {name} has {}", game.models().join(", "));
        }
        models.push((name, model));
    }
    Ok(models)
}

fn read(log: &Log, stream: &Subject) -> anyhow::Result<Vec<ModelSwitched>> {
    let mut switches = Vec::new();
    let mut after = 0;
    loop {
        let page = match log.read(stream, after, PAGE) {
            Ok(page) => page,
            // Damage of the log is told elsewhere, and holds up nothing but what lies across it.
            Err(error) if error.is_partial() => {
                tracing::warn!(%error, "switches of models may be missing");
                return Ok(switches);
            }
            Err(error) => return Err(error).context("the switches of models cannot be read"),
        };
        let Some(last) = page.last() else { return Ok(switches) };
        after = last.recorded.seq;
        for entry in &page {
            let attributes = Attributes::read(&entry.recorded.stored)?;
            let data = attributes.data.map_or("{}", |data| data.get());
            switches.push(serde_json::from_str(data).context("a switch of models cannot be read")?);
        }
    }
}

async fn append(log: &Log, stream: &Subject, switch: &ModelSwitched) -> anyhow::Result<()> {
    let id = format!("{}-{}-{}", switch.game, switch.model, switch.from.ms());
    let attributes = Attributes::of(id, SOURCE, stream.as_str(), MODEL_SWITCHED);
    let event = Event::new(&attributes, &serde_json::to_string(switch)?)?;
    let (subject, received) = (stream.clone(), Instant::now());
    let append = Append { subject, events: vec![event], expected_seq: None, received };
    for outcome in log.append(vec![append]).await? {
        outcome
            .map_err(|refused| anyhow::anyhow!("the switch of a model is refused: {refused:?}"))?;
    }
    Ok(())
}
