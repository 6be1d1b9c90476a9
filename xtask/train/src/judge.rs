//! How good predictions are.

use matchwire_domain::live_match::cs::odds::Stage;

use crate::linear::count;

/// Bins of the calibration, of equal width.
const BINS: usize = 10;

/// A prediction and what came.
#[derive(Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) p: f64,
    pub(crate) ct_won: bool,
    pub(crate) stage: Stage,
}

/// The figures of some predictions.
pub(crate) struct Figures {
    rows: usize,
    pub(crate) log_loss: f64,
    brier: f64,
    accuracy: f64,
    auc: f64,
    /// Σ over ten bins of equal width of rows in it / all rows × |mean prediction − part that CT won|.
    ece: f64,
}

impl Figures {
    pub(crate) fn of(judged: &[Judged]) -> Self {
        let mean =
            |of: fn(&Judged) -> f64| judged.iter().map(of).sum::<f64>() / count(judged.len());
        let bins = calibration(judged);
        let ece = bins
            .iter()
            .map(|(rows, mean, won)| count(*rows) / count(judged.len()) * (mean - won).abs());
        Self {
            rows: judged.len(),
            log_loss: mean(|one| -libm::log(if one.ct_won { one.p } else { 1.0 - one.p })),
            brier: mean(|one| {
                let error = one.p - f64::from(u8::from(one.ct_won));
                error * error
            }),
            accuracy: mean(|one| f64::from(u8::from((one.p > 0.5) == one.ct_won))),
            auc: auc(judged),
            ece: ece.sum(),
        }
    }

    /// A row of the table whose head is [`HEAD`].
    pub(crate) fn row(&self, title: &str) -> String {
        format!(
            "| {title} | {} | {:.4} | {:.4} | {:.4} | {:.4} | {:.4} |",
            self.rows, self.log_loss, self.brier, self.accuracy, self.auc, self.ece
        )
    }
}

/// The head of the table of figures.
pub(crate) const HEAD: &str = "| known | rows | log loss | Brier | accuracy | AUC | ECE |
|---|---|---|---|---|---|---|";

/// P(a row that CT won has a higher prediction than one that it lost), ties counting half.
fn auc(judged: &[Judged]) -> f64 {
    let mut sorted = judged.to_vec();
    sorted.sort_by(|a, b| a.p.total_cmp(&b.p));
    let (mut lost, mut below) = (0.0, 0.0);
    for same in sorted.chunk_by(|a, b| a.p.total_cmp(&b.p).is_eq()) {
        let won = count(same.iter().filter(|one| one.ct_won).count());
        let not = count(same.len()) - won;
        below += won * (lost + not / 2.0);
        lost += not;
    }
    below / ((count(judged.len()) - lost) * lost)
}

/// Rows, mean prediction and part that CT won, in bins of equal width.
pub(crate) fn calibration(judged: &[Judged]) -> Vec<(usize, f64, f64)> {
    let bin = |one: &Judged| (1..BINS).filter(|edge| one.p >= count(*edge) / count(BINS)).count();
    (0..BINS)
        .map(|number| {
            let here: Vec<&Judged> = judged.iter().filter(|one| bin(one) == number).collect();
            let mean = here.iter().map(|one| one.p).sum::<f64>() / count(here.len().max(1));
            let won = count(here.iter().filter(|one| one.ct_won).count());
            (here.len(), mean, won / count(here.len().max(1)))
        })
        .collect()
}
