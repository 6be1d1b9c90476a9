//! Who is asked for a prediction.
//!
//! A prediction is a function of a state, and its model a pure one; but a model is large and may have a
//! mistake in it. So a fold asks through this seam: whoever runs it may give up on a model that fails or
//! takes too long, which needs a clock and so is not done here.

use std::fmt;

use super::{Play, Prediction};

/// Asks a model who will win.
pub trait Predictor: fmt::Debug + Send + Sync {
    /// Who will win by the model of that name, which may be that nobody can say; or that the model
    /// cannot be asked now. Whatever the answer is, it is the model's own.
    fn predict(&self, play: &dyn Play, model: &str) -> Result<Option<Prediction>, Unavailable>;
}

/// The model failed, or is left alone since it did. Asked later it may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the model cannot be asked now")]
pub struct Unavailable;

/// Asks the model, whatever comes of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Predictor for Plain {
    fn predict(&self, play: &dyn Play, model: &str) -> Result<Option<Prediction>, Unavailable> {
        Ok(play.predict(model))
    }
}
