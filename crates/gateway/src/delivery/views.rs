//! The views of a topic that a reader may choose from.

/// What a reader wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Views {
    pub(crate) events: bool,
    pub(crate) state: bool,
    pub(crate) prediction: bool,
}

impl Views {
    pub(crate) const ALL: Self = Self { events: true, state: true, prediction: true };
    const NONE: Self = Self { events: false, state: false, prediction: false };

    /// Reads the names of views; the error is the one that is none.
    pub(crate) fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut views = Self::NONE;
        for name in names {
            match name {
                "events" => views.events = true,
                "state" => views.state = true,
                "prediction" => views.prediction = true,
                other => {
                    let other: String = other.chars().take(40).collect();
                    return Err(format!("view {other:?} must be events, state or prediction"));
                }
            }
        }
        Ok(views)
    }
}
