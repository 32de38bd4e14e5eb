//! Where bodies come from: files, and changes of these.

use std::{fs, io, path::PathBuf};

use crate::change::{Random, change};

/// What the samples leave out: the second text of a pair in place of the first.
const MORE: [[&str; 2]; 6] = [
    [
        r#""appdata":{"#,
        concat!(
            r#""appdata":{"aws_rekognition_detect_labels":{"data":{"LabelModelVersion":"2","Labels":[{"Name":"Linen","#,
            r#""Instances":[{"BoundingBox":{"Height":0.28,"Left":0.11,"Top":0.55,"Width":0.3},"Confidence":91}],"#,
            r#""Confidence":93.41,"Parents":[{"Name":"Home Decor"}]}]},"version":"2016-06-27"},"#,
            r#""aws_rekognition_detect_moderation_labels":{"data":{"ModerationModelVersion":"6.0","#,
            r#""ModerationLabels":[{"Confidence":93.4,"Name":"Weapons"}]}},"#,
            r#""remove_bg":{"data":{"foreground_type":"person"},"version":"1.0"},"#,
        ),
    ],
    [
        r#""video":null"#,
        concat!(
            r#""video":{"duration":261827,"format":"mp4","audio":[{"codec":"aac","sample_rate":44100,"channels":2}],"#,
            r#""video":[{"bitrate":315,"codec":"h264","height":360,"width":640,"frame_rate":29.97}]}"#,
        ),
    ],
    [
        r#""previous_values":{"#,
        r#""previous_values":{"appdata":{"remove_bg":null,"uc_clamav_virus_scan":{"data":{"infected":true}}},"#,
    ],
    [r#""variations":null"#, r#""variations":{"video/mp4":"f08d7c8a-2971-42e0-ab01-780d9039b40b"}"#],
    [r#""geo_location":null"#, r#""geo_location":{"latitude":55.62,"longitude":-37}"#],
    [r#""detail":{"#, r#""detail":{"source_file_uuid":"f08d7c8a-2971-42e0-ab01-780d9039b40b","#],
];

/// The bodies that are read, each with a number: the kept ones, then any number of changed ones.
pub(crate) struct Bodies {
    /// Where each comes from, and the body.
    kept: Vec<(PathBuf, Vec<u8>)>,
    /// How many of the kept ones are seeds, which come first.
    seeds: usize,
}

impl Bodies {
    /// Reads the kept bodies in folders, of which the first one has the seeds.
    pub(crate) fn read(folders: &[String]) -> io::Result<Self> {
        let (mut kept, mut seeds) = (Vec::new(), 0);
        for folder in folders {
            let mut files = fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<io::Result<Vec<_>>>()?;
            files.sort();
            for file in files {
                let content = fs::read(&file)?;
                kept.push((file, if folder.ends_with("router") { body_of_request(&content) } else { content }));
            }
            seeds = if seeds == 0 { kept.len() } else { seeds };
        }
        Ok(Self { kept, seeds })
    }

    /// How many are kept.
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Where a body comes from, and the body.
    #[allow(clippy::indexing_slicing, reason = "no body can be changed if none is kept")]
    pub(crate) fn get(&self, number: usize) -> (String, Vec<u8>) {
        if let Some((file, body)) = self.kept.get(number) {
            return (file.display().to_string(), body.clone());
        }
        // By itself, so that it is the same whichever others there are.
        let mut random = Random::new(number - self.kept.len());
        let from = if random.below(8) == 0 { self.kept.len() } else { self.seeds };
        let (file, body) = &self.kept[random.below(from)];
        let mut body = body.clone();
        for [less, more] in MORE {
            let at = body.windows(less.len()).position(|part| part == less.as_bytes());
            if let Some(at) = at.filter(|_| random.below(2) == 0) {
                drop(body.splice(at..at + less.len(), more.bytes()));
            }
        }
        let most = 1 + random.below(4);
        for _ in 0..=random.below(most) {
            change(&mut body, &mut random);
        }
        (format!("changed from {}", file.display()), body)
    }
}

/// What is behind the path and the signature.
fn body_of_request(input: &[u8]) -> Vec<u8> {
    input.splitn(3, |byte| *byte == b'\n').nth(2).unwrap_or_default().to_vec()
}
