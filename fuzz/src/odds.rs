//! What predictions are made of: rows of snapshots, and the file of a trained model.

use matchwire_domain::live_match::cs::odds::{Ensemble, History, MODELS, Moment, ct_wins_by};
use matchwire_sources::cs_rows::{Columns, Follower};

/// The check of a file of a model stands at its end, and no broken one gets past it by itself.
const SUM_BYTES: usize = 32;

/// Whatever stands in a table, each row that can be read has a probability by each model, the rows
/// below it change nothing about that, and the same table gives the same.
pub fn snapshots(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let whole = predicted(text, usize::MAX);
    let above = predicted(text, whole.len() / 2);
    assert_eq!(whole.get(..above.len()), Some(&*above), "a row knows what is below it");
    assert!(whole.iter().flatten().all(|p| (0.0..=1.0).contains(p)), "{whole:?}");
    !whole.is_empty()
}

/// The predictions for so many rows at most, one by each model.
fn predicted(text: &str, rows: usize) -> Vec<[f64; MODELS.len()]> {
    let mut lines = text.lines();
    let columns = Columns::of(lines.next().unwrap_or_default().split(','));
    let (mut follower, mut all) = (Follower::default(), Vec::new());
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |column: usize| cells.get(column).copied();
        let Ok(row) = columns.read(cell) else { continue };
        if all.len() == rows {
            break;
        }
        let history = follower.see(&row, columns.map_name(cell));
        all.push(MODELS.map(|model| model.ct_wins_at(&row.moment, history)));
    }
    all
}

/// A file of a model is read or refused, whatever is in it; one that is read predicts.
pub fn model_file(input: &[u8]) -> bool {
    // A fuzzer does not find a SHA-256: it is made right here, so that what is behind it is reached.
    let body = input.get(..input.len().saturating_sub(SUM_BYTES)).unwrap_or_default();
    let mut summed = body.to_vec();
    summed.extend(matchwire_domain::chain::Digest::leaf(body).0);
    let _ = Ensemble::read(input);
    let Ok(model) = Ensemble::read(&summed) else { return false };
    let p = ct_wins_by(&model, &Moment::default(), &History::default());
    assert!((0.0..=1.0).contains(&p), "{p}");
    let again = Ensemble::read(&model.bytes()).ok().map(|again| again.bytes());
    assert_eq!(again, Some(model.bytes()), "it reads back as it was");
    true
}
