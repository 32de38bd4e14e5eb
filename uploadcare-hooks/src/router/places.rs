//! Where a router is mounted, and where its subscriptions lead.

use std::collections::BTreeSet;

/// Paths without a slash at their ends.
#[derive(Default)]
pub(super) struct Places {
    pub(super) mounts: BTreeSet<String>,
    /// The path of the base URL of the last sync.
    pub(super) subscribed: Option<String>,
}

impl Places {
    /// Logs that the subscriptions lead to none of the mounts.
    pub(super) fn compare(&self) {
        if let Some(path) = self.subscribed.as_deref().filter(|path| !self.is_reached_by(path)) {
            tracing::warn!(
                "the subscriptions lead to the path {path:?}, and this router is mounted at {:?}: its handlers run \
                 only if a proxy changes the path in between. Otherwise correct the base URL: another route of the \
                 server that answers 2xx there acknowledges deliveries that are lost",
                self.mounts
            );
        }
    }

    /// Whether the path may lead to a mount. The mount is at its end, because a scope or a proxy
    /// may stand before it. Without a mount, or with one that has parameters, nothing is known.
    fn is_reached_by(&self, path: &str) -> bool {
        let path = decoded(path);
        let leads_to = |mount: &String| mount.contains('{') || path.ends_with(&decoded(mount));
        self.mounts.is_empty() || self.mounts.iter().any(leads_to)
    }
}

/// The path with all characters as they are.
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let mut byte = [0];
        match part.split_at_checked(2).filter(|(code, _)| hex::decode_to_slice(code, &mut byte).is_ok()) {
            Some((_, rest)) => bytes.extend_from_slice(&[&byte, rest.as_bytes()].concat()),
            None => bytes.extend_from_slice(&[b"%", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_mount_at_its_end_in_any_spelling() {
        for (path, mounts, reached) in [
            ("/webhooks", &["/hooks"][..], false),
            ("", &["/hooks"], false),
            ("/webhooks", &[], true),
            ("/api/hooks", &["/hooks"], true),
            ("/hooks", &["/other", "/hooks"], true),
            ("/anything", &[""], true),
            ("/anything", &["/{tenant}/hooks"], true),
            ("/web%68ooks", &["/webhooks"], true),
            ("/webhooks", &["/web%68ooks"], true),
            ("/w%C3%A9b%20hooks", &["/wéb hooks"], true),
            ("/100%", &["/100%"], true),
        ] {
            let mounts = mounts.iter().copied().map(str::to_owned).collect();
            assert_eq!(Places { mounts, subscribed: None }.is_reached_by(path), reached, "{path}");
        }
    }
}
