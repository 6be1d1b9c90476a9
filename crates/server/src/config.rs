//! `matchwire config`: the settings of `serve` as they are in force.

use serde_json::json;

use crate::{
    settings::Setting,
    terminal::{print, table},
};

/// Prints them.
pub(crate) fn run(settings: &[Setting], is_json: bool) -> anyhow::Result<()> {
    if is_json {
        let settings: Vec<_> = settings
            .iter()
            .map(|it| json!({"key": it.key, "values": it.values, "origin": it.origin}))
            .collect();
        return Ok(print(&format!("{}\n", json!({"settings": settings})))?);
    }
    let mut rows = vec![["SETTING", "VALUE", "FROM"].map(str::to_owned)];
    for Setting { key, values, origin } in settings {
        let value = if values.is_empty() { "-".into() } else { values.join(", ") };
        let value = value.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        rows.push([key.clone(), value, origin.clone()]);
    }
    Ok(print(&table(&rows))?)
}
