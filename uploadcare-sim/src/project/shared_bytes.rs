//! Counts the bytes of payloads that several deliveries share: each payload counts once.

use std::{collections::HashMap, sync::Arc};

/// The payloads that are in use, and their bytes.
#[derive(Debug, Default)]
pub(super) struct SharedBytes {
    /// How often each payload is used, by its address. A payload that is in use keeps its address.
    uses: HashMap<usize, usize>,
    bytes: usize,
}

impl SharedBytes {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, payload: &Arc<str>) {
        let uses = self.uses.entry(Arc::as_ptr(payload).addr()).or_default();
        *uses += 1;
        if *uses == 1 {
            self.bytes += payload.len();
        }
    }

    /// Takes away one use that was added before.
    pub(super) fn remove(&mut self, payload: &Arc<str>) {
        let address = Arc::as_ptr(payload).addr();
        let Some(uses) = self.uses.get_mut(&address) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.uses.remove(&address);
            self.bytes -= payload.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_counts_once_until_its_last_use_is_gone() {
        let (one, other): (Arc<str>, Arc<str>) = ("1234".into(), "1234".into());
        let mut bytes = SharedBytes::default();
        for payload in [&one, &one, &other] {
            bytes.add(payload);
        }
        assert_eq!(bytes.bytes(), 8);
        bytes.remove(&one);
        assert_eq!(bytes.bytes(), 8);
        bytes.remove(&one);
        bytes.remove(&one);
        assert_eq!(bytes.bytes(), 4);
        bytes.remove(&other);
        assert_eq!((bytes.bytes(), bytes.uses.len()), (0, 0));
    }
}
