//! What the gateway tells of the log's files, from what the medium knows.

use std::sync::Arc;

use matchwire_embedded::{Monitor, Spot};
use matchwire_gateway::{Damage, Files, Storage, StorageWatch};

/// Watches the files of a log that is open.
pub(crate) fn watch(monitor: Monitor) -> StorageWatch {
    Arc::new(move || {
        let taken = monitor.storage();
        let damage = |Spot { file, offset, what }| Damage { file, offset, what };
        let kinds = [
            ("open", taken.open),
            ("waiting", taken.waiting),
            ("damaged", taken.damaged),
            ("sealed", taken.sealed),
            ("archived", taken.archived),
        ];
        Storage {
            failures: monitor.failures(),
            damage: monitor.damage().into_iter().map(damage).collect(),
            files: kinds
                .map(|(kind, files)| Files { kind, count: files.count, bytes: files.bytes })
                .into(),
            stored_bytes: taken.stored_bytes,
            trimmed_events: taken.trimmed_events,
            archived_events: taken.archived_events,
            appended_bytes: taken.appended_bytes,
            sealed_bytes: taken.sealed_bytes,
            scrubbed_bytes: monitor.scrub_stats().bytes,
            memory_bytes: taken.memory_bytes + taken.cache_bytes,
        }
    })
}
