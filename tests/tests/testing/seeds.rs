//! The seeds of the fuzz targets are the testing kit's samples, and a real delivery. With
//! `WRITE_SEEDS=1` in the environment this test writes them instead of comparing them:
//!
//! ```sh
//! WRITE_SEEDS=1 cargo test -p tests --test testing seeds
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

use uploadcare_hooks::{EventKind, SigningSecret, testing::Sample};

/// An event that this version of the crate does not know.
const UNKNOWN: &str = "moderation.state_changed";

/// A real delivery of 2021, signed with the secret `12345X`.
const REAL: &[u8] = include_bytes!("../../../uploadcare-hooks/fixtures/unversioned_uploaded.json");

/// Texts that are not Unicode. A sample cannot have them, since `serde_json` does not write them.
const HALF_A_PAIR: &str = concat!(
    r#"{"hook": {"event": "file.uploaded"}, "data": {"uuid": "f08d7c8a-2971-42e0-ab01-780d9039b40b", "#,
    r#""original_filename": "\ud83d.jpg", "appdata": {"own\udfff": {"data": "\ud83d"}}}}"#,
    "\n",
);

/// Every seed by its path in `fuzz/seeds`, in the forms that the fuzz targets read.
fn seeds() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    let mut add = |path: String, parts: &[&[u8]]| assert!(seeds.insert(path, parts.join(&b'\n')).is_none());
    let mut add_body = |name: &str, at: &str, body: &[u8]| {
        add(format!("payload/{name}"), &[body]);
        add(format!("router/{name}"), &[at.as_bytes(), b"!", body]);
    };
    for event in EventKind::KNOWN {
        add_body(event, "/", &Sample::of(*event).body());
    }
    add_body(UNKNOWN, "/audit", &Sample::of(UNKNOWN).body());
    for (name, version) in [("v0_6", "0.6"), ("v0_5", "0.5")] {
        add_body(name, "/old", &Sample::of("file.uploaded").version(version).body());
    }
    add_body("unversioned", "/", REAL);

    let signature = SigningSecret::new("12345X").unwrap().sign(REAL);
    let signature = signature.as_bytes();
    add("router/signed".to_owned(), &[b"/", signature, REAL]);
    add("router/forged".to_owned(), &[b"/", signature, &REAL[..REAL.len() - 1]]);
    add("signature/unversioned".to_owned(), &[signature, REAL]);
    add("signature/upper_case".to_owned(), &[&signature.to_ascii_uppercase(), REAL]);

    add("payload/half_a_surrogate_pair".to_owned(), &[HALF_A_PAIR.as_bytes()]);
    seeds
}

/// The seeds that exist, except for those of the attribute, which are no deliveries.
fn written(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries(folder).flat_map(|target| entries(&target).collect::<Vec<_>>());
    let name = |file: &Path| file.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
    let named = files.map(|file| (name(&file), file)).filter(|(name, _)| !name.starts_with("attribute/"));
    named.map(|(name, file)| (name, fs::read(file).unwrap())).collect()
}

#[test]
fn the_seeds_of_the_fuzz_targets_are_the_samples_of_the_kit() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds"));
    let seeds = seeds();
    if env::var_os("WRITE_SEEDS").is_some() {
        for name in written(folder).keys() {
            fs::remove_file(folder.join(name)).unwrap();
        }
        for (name, seed) in &seeds {
            fs::write(folder.join(name), seed).unwrap();
        }
    }
    let written = written(folder);
    let names: BTreeSet<_> = written.keys().chain(seeds.keys()).collect();
    let differing: Vec<_> = names.into_iter().filter(|name| written.get(*name) != seeds.get(*name)).collect();
    assert!(
        differing.is_empty(),
        "{differing:?} in fuzz/seeds are not the samples of the testing kit: run \
         `WRITE_SEEDS=1 cargo test -p tests --test testing seeds`, and commit what it writes"
    );
}
