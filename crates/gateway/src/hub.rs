//! The hub: connections that follow the same are a crowd, which is read for, encoded for and woken
//! once.
//!
//! ```text
//!   feeds ──► crowd: one reader, one encoding ──► part: 256 sockets, part, …
//!                ▲                                     │ one that takes no more
//!                │ has caught up                       ▼
//!              task of the connection: reads on by itself, from where the crowd left it
//! ```
//!
//! A connection with one subscription that has been sent everything there is asks to join the crowd
//! of its topic and views. From then on its task only listens to the client. The crowd pulls as a
//! single reader would, and writes the same bytes to everybody, without ever waiting: whose socket
//! does not take all of it goes back to its task, which catches up, or is cut off.

mod crowd;
mod part;
mod writers;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tokio::sync::mpsc;

pub(crate) use self::crowd::Applicant;
use crate::{
    app::App,
    delivery::{Subscription, Views},
    topic::Topic,
    websocket::{Ticket, Wire},
};

/// What a crowd has in common.
type Key = (Topic, Views);

/// All crowds.
#[derive(Default)]
pub(crate) struct Hub {
    /// Where those who want to join a crowd ask. There are at most as many as connections.
    crowds: Mutex<HashMap<Key, mpsc::UnboundedSender<Applicant>>>,
}

impl Hub {
    /// Asks the crowd of a subscription to take a connection, which has [applied](Wire::apply).
    pub(crate) fn join(&self, app: &Arc<App>, wire: &Arc<Wire>, subscription: Subscription) {
        let key = (subscription.topic().clone(), subscription.views());
        let applicant = Applicant { wire: Arc::downgrade(wire), subscription };
        let mut crowds = self.crowds.lock();
        let crowd = crowds.entry(key.clone()).or_insert_with(|| {
            let (asking, asked) = mpsc::unbounded_channel();
            tokio::spawn(crowd::run(app.clone(), key, asked));
            asking
        });
        // A crowd that ends leaves the table first, under the lock.
        if let Err(mpsc::error::SendError(Applicant { subscription, .. })) = crowd.send(applicant) {
            wire.refuse(bytes::Bytes::new(), subscription);
        }
    }

    /// Takes a crowd out of the table, unless somebody has just asked to join it.
    fn remove(&self, key: &Key, asked: &mpsc::UnboundedReceiver<Applicant>) -> bool {
        let mut crowds = self.crowds.lock();
        let is_left = asked.is_empty();
        if is_left {
            crowds.remove(key);
        }
        is_left
    }

    /// How many crowds there are.
    pub(crate) fn crowds(&self) -> usize {
        self.crowds.lock().len()
    }
}

/// A member of a crowd: gone once its connection has ended.
struct Member {
    wire: Weak<Wire>,
    ticket: Ticket,
}
