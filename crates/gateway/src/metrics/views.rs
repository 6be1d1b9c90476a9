//! How the stored views are, as metrics.

use std::sync::atomic::AtomicU64;

use matchwire_log::projection::Status;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::{Label, add, counter, gauge, log::raise};

type Amount = Family<Label, Gauge<u64, AtomicU64>>;

pub(super) struct ViewMeter {
    lag: Family<Label, Gauge<f64, AtomicU64>>,
    lag_groups: Amount,
    position: Amount,
    serving: Amount,
    building: Amount,
    size: Amount,
    rows: Amount,
    passed: Amount,
    builds: Family<Label, Counter>,
    failures: Family<Label, Counter>,
}

impl ViewMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let lag = Family::default();
        let help = "For how long a stored view has not seen all of the log; 0 if it has";
        registry.register_with_unit("view_lag", help, Unit::Seconds, lag.clone());
        let help = "Groups of the log that a stored view has not seen";
        let lag_groups = gauge(registry, "view_lag_groups", help);
        let help = "The last group of the log up to which a stored view has seen everything";
        let position = gauge(registry, "view_position", help);
        let help = "1 while a stored view can be read";
        let serving = gauge(registry, "view_serving", help);
        let help = "1 while a stored view is being built, beside what serves or with nothing";
        let building = gauge(registry, "view_building", help);
        let size = Family::default();
        let help = "What a stored view takes on the disk";
        registry.register_with_unit("view_size", help, Unit::Bytes, size.clone());
        let help = "Parts of streams that a stored view lacks, since they could not be read";
        let passed = gauge(registry, "view_missing_parts", help);
        let help = "Builds of stored views that were finished";
        let builds = counter(registry, "view_builds", help);
        let help = "How often a stored view did not get on";
        let failures = add(registry, "view_failures", help, Family::default());
        let rows = gauge(registry, "view_rows", "Rows of a stored view");
        Self { lag, lag_groups, position, serving, building, size, rows, passed, builds, failures }
    }

    pub(super) fn set(&self, views: &[Status]) {
        for view in views {
            let name = [("view", view.name)];
            self.lag.get_or_create(&name).set(view.lag.as_secs_f64());
            let set = |family: &Amount, n| family.get_or_create(&name).set(n);
            set(&self.lag_groups, view.lag_groups);
            set(&self.position, view.position);
            set(&self.serving, view.is_serving.into());
            set(&self.building, view.building.is_some().into());
            set(&self.size, view.size.bytes);
            set(&self.rows, view.size.rows);
            set(&self.passed, view.passed);
            raise(&self.builds.get_or_create(&name), view.builds);
            raise(&self.failures.get_or_create(&name), view.failures);
        }
    }
}
