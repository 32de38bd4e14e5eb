//! The handlers of the application: one function for each event. Each prints one line.
//!
//! Names of files, metadata and events are texts of other people, so they are printed escaped.

use serde::Deserialize;
use uploadcare_hooks::{
    DecodeError, DeliveryId, Event, FileDeleted, FileInfected, FileInfoUpdated, FileStored, FileUploaded, HandlerError,
    State, payload::Text, webhook_handler,
};

use crate::stores::{Backup, Handled, Index};

/// Uploadcare may deliver an event twice, so inserting a file twice must do no harm.
#[webhook_handler(event = "file.uploaded")]
pub(crate) async fn index_upload(event: FileUploaded, State(index): State<Index>) -> Result<(), HandlerError> {
    let file = event.data;
    let name = file.original_filename.ok_or_else(|| HandlerError::discard("the file has no name"))?;
    let image = file.content_info.and_then(|content| content.image);
    let pixels = image.and_then(|image| image.width.zip(image.height));
    let size = pixels.map_or_else(|| "no image".to_owned(), |(width, height)| format!("{width} x {height} pixels"));
    let new = if index.insert(file.uuid.to_string(), name.to_string())? { "is new" } else { "is in the index already" };
    println!("   index_upload: {} {new}, {} bytes, {size}", name.escape_debug(), file.size.unwrap_or_default());
    Ok(())
}

/// When a handler returns an error, Uploadcare delivers the event again.
#[webhook_handler(event = "file.stored")]
pub(crate) async fn back_up(event: FileStored, State(backup): State<Backup>) -> Result<(), std::io::Error> {
    let file = event.data;
    let copied = backup.copy(&file.uuid.to_string());
    match &copied {
        Ok(()) => println!("   back_up: {} is copied", shown(file.original_filename.as_deref())),
        Err(error) => println!("   back_up fails: {error}"),
    }
    copied
}

#[webhook_handler(event = "file.deleted")]
pub(crate) async fn forget(event: FileDeleted, State(index): State<Index>) -> Result<(), HandlerError> {
    let name = shown(event.data.original_filename.as_deref());
    let was_there = index.remove(&event.data.uuid.to_string())?;
    println!("   forget: {name} {}", if was_there { "is removed from the index" } else { "was not in the index" });
    Ok(())
}

#[webhook_handler(event = "file.infected")]
pub(crate) async fn quarantine(event: FileInfected) -> Result<(), DecodeError> {
    let scan = event.data.appdata.virus_scan()?;
    let virus = scan.and_then(|scan| scan.data.infected_with);
    let name = shown(event.data.original_filename.as_deref());
    println!(
        "   quarantine: {name} is infected with {}",
        virus.as_deref().unwrap_or("an unknown virus").escape_debug()
    );
    Ok(())
}

/// A delivery that is sent twice has the same id both times.
#[webhook_handler(event = "file.info_updated")]
pub(crate) async fn show_change(
    event: FileInfoUpdated,
    delivery: DeliveryId,
    State(handled): State<Handled>,
) -> Result<(), HandlerError> {
    let name = shown(event.data.original_filename.as_deref());
    let id = delivery.to_string();
    let short = id.get(..8).unwrap_or_default().to_owned();
    if !handled.insert(id)? {
        println!("   show_change: delivery {short} was handled before, so nothing is done");
        return Ok(());
    }
    let before = event.previous_values.metadata.unwrap_or_default();
    let changes = before.iter().map(|(key, before)| {
        let now = shown(event.data.metadata.get(key).map(Text::as_str));
        format!("{} was {} and is {now}", key.escape_debug(), shown(before.as_deref()))
    });
    let changes = changes.collect::<Vec<_>>().join(", ");
    println!("   show_change: {name}: {changes} (delivery {short})");
    Ok(())
}

/// A handler with `any` takes every event, also those that this version of the crate does not know.
#[webhook_handler(any)]
pub(crate) async fn note_unknown(event: Event) {
    #[derive(Deserialize)]
    struct Payload {
        #[serde(default)]
        data: serde_json::Value,
    }
    if let Event::Unknown(event) = event {
        let data = event.decode().map_or_else(|_| "other data".to_owned(), |payload: Payload| payload.data.to_string());
        println!("   note_unknown: {} with {data}", event.name().escape_debug());
    }
}

/// The text, escaped.
fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "(nothing)".to_owned(), |text| text.escape_debug().to_string())
}
